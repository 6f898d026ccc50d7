#!/bin/sh
# `make install`: what is installed stands on its own. A worker is compiled against it, an organisation founded with it.
set -u
. "$(dirname "$0")/house.inc"
source=$PWD
staged=${ROTA_DIR%/org}/staged
root=$staged/opt/rota

# The build directory is named as `make` named it, so that nothing is built again.
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
    make -s BUILD="${build#"$source"/}" DESTDIR="$staged" PREFIX=/opt/rota install >"$out" 2>"$err" || wrong "make install"

for program in rotad rota rota-verify rota-approval rota-communication rota-audit rota-exec; do
    [ -x "$root/bin/$program" ] || wrong "bin/$program is not installed"
    [ -r "$root/share/man/man1/$program.1" ] || wrong "$program(1) is not installed"
done
for file in share/bash-completion/completions/rota include/rota.h lib/librota.a lib/librota.so lib/librota.so.0 lib/pkgconfig/rota.pc \
    share/rota/workflows/pack.cfg share/rota/config/rotad.cfg share/rota/config/sample/directory.cfg; do
    [ -r "$root/$file" ] || wrong "$file is not installed"
done
! grep -q '@' "$root/lib/pkgconfig/rota.pc" || wrong "rota.pc is not filled in"
! grep -rqF "$staged" "$root/lib/pkgconfig" || wrong "rota.pc names DESTDIR"
[ "$(find "$root/share/rota" -type f | wc -l)" = "$(find workflows config -type f | wc -l)" ] || wrong "share/rota is not whole"

# ---- a directory whose name has a blank ----
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
    make -s BUILD="${build#"$source"/}" DESTDIR="$staged/a b" PREFIX=/opt/rota install >"$out" 2>"$err" || wrong "make install with a blank"
diff -r "$root" "$staged/a b/opt/rota" >"$out" || wrong "not the same in a directory with a blank"
rm -rf "$staged/a b"

# ---- a worker in C ----
if command -v cc >/dev/null && command -v pkg-config >/dev/null; then
    export PKG_CONFIG_PATH="$root/lib/pkgconfig"
    flags=$(pkg-config --define-prefix --cflags --libs rota)
    cp workers/examples/greeter.c "$staged/greeter.c"
    (cd "$staged" && cc -Wall -Wextra greeter.c $flags -o greeter) >"$out" 2>"$err" || wrong "cc greeter.c $flags"
    LD_LIBRARY_PATH="$root/lib" "$staged/greeter" ipc://nowhere demo.greet no.key no.pub >"$out" 2>"$err" && wrong "greeter without keys runs"
    complains "no.key"
    # librota itself linked in, what it uses as the system has it
    flags="$(echo "$flags" | sed 's/-lrota/-l:librota.a/') $(pkg-config --libs libzmq libcrypto jansson) -lmsgpackc -lpthread"
    (cd "$staged" && cc greeter.c $flags -o greeter-static) >"$out" 2>"$err" || wrong "cc greeter.c $flags"
    "$staged/greeter-static" ipc://nowhere demo.greet no.key no.pub >"$out" 2>"$err" && wrong "greeter without keys runs"
    complains "no.key"
else
    echo "skipped: a worker in C: no cc or no pkg-config"
fi

# ---- an organisation, far from the sources ----
unset ROTA_SHARE
PATH="$root/bin:${PATH#"$build":}"
cd "$staged" || exit 1
[ "$(command -v rota)" = "$root/bin/rota" ] || wrong "another rota: $(command -v rota)"
ends 0 --version
says "rota "
ends 0 init "$ROTA_DIR" --sample
ends 0 up
ends 0 --as ines open --from "$ROTA_DIR/sample/interested_parties.cfg"
says "IPR-0001"
ends 0 --as ines verify
says "holds"
ends 0 down

told "what is installed works"
