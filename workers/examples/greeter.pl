#!/usr/bin/perl
# A worker in Perl: ZMQ::FFI (Debian: libzmq-ffi-perl) and MDP 0.1. Start it on the engine's socket without keys:
#     perl greeter.pl tcp://127.0.0.1:5556 demo.greet
# or with CURVE, from the organisation's directory, as a worker that may serve the service (here the sample's):
#     perl greeter.pl ipc://run/front audit.collect keys/collector.key keys/engine.pub
use strict;
use warnings;
use Time::HiRes qw(sleep time);
use ZMQ::FFI;
use ZMQ::FFI::Constants qw(ZMQ_DEALER ZMQ_CURVE_PUBLICKEY ZMQ_CURVE_SECRETKEY ZMQ_CURVE_SERVERKEY);

my ($READY, $REQUEST, $REPLY, $HEARTBEAT, $DISCONNECT) = map { chr } 1 .. 5;
my ($endpoint, $service, $own_file, $engine_file) = @ARGV;
my $context = ZMQ::FFI->new();

# One key of a ZeroMQ certificate file, as the option wants it: 40 characters and a NUL.
sub key {
    my ($file, $name) = @_;
    open my $in, '<', $file or die "$file: $!\n";
    my ($key) = join('', <$in>) =~ /^\s*$name\s*=\s*"([^"]{40})"/m or die "$file has no $name\n";
    return "$key\0";
}

sub hello {
    my $socket = $context->socket(ZMQ_DEALER);
    $socket->set_linger(0);
    if (defined $engine_file) {
        $socket->set(ZMQ_CURVE_PUBLICKEY, 'binary', key($own_file, 'public-key'));
        $socket->set(ZMQ_CURVE_SECRETKEY, 'binary', key($own_file, 'secret-key'));
        $socket->set(ZMQ_CURVE_SERVERKEY, 'binary', key($engine_file, 'public-key'));
    }
    $socket->connect($endpoint);
    $socket->send_multipart(['', 'MDPW01', $READY, $service]);
    return ($socket, time);
}

my ($socket, $heard) = hello();
my $beat = time;
while (1) {
    my $kind = '';
    if ($socket->has_pollin) {
        (undef, undef, $kind, my @rest) = $socket->recv_multipart();
        $heard = time;
        if ($kind eq $REQUEST) {    # the lease token, an empty frame, the input
            my $answer = sprintf '{"greeting": "%d bytes of input, thank you"}', length $rest[2];
            $socket->send_multipart(['', 'MDPW01', $REPLY, $rest[0], '', $answer]);
        }
    } else {
        sleep 0.05;
    }
    if (time - $beat > 2) {
        $socket->send_multipart(['', 'MDPW01', $HEARTBEAT]);
        $beat = time;
    }
    if ($kind eq $DISCONNECT or time - $heard > 10) {    # the engine is new or silent, or will not have us
        $socket->close;
        sleep 1;
        ($socket, $heard) = hello();
    }
}
