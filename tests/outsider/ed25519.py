# Ed25519 as RFC 8032, section 6 writes it down: slow, and nothing but numbers. For tests.
import hashlib

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(s, p):
    q = (0, 1, 1, 0)
    while s > 0:
        if s & 1:
            q = add(q, p)
        p, s = add(p, p), s >> 1
    return q


def x_of(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        raise ValueError("not a point")
    return P - x if x & 1 != sign else x


def unpacked(raw):
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    x = x_of(y, sign)
    return x, y, 1, x * y % P


def packed(p):
    z = pow(p[2], P - 2, P)
    x, y = p[0] * z % P, p[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = unpacked((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def secret(seed):
    raw = hashlib.sha512(seed).digest()
    return (int.from_bytes(raw[:32], "little") & (1 << 254) - 8) | 1 << 254, raw[32:]


def sign(seed, message):
    a, prefix = secret(seed)
    r = number(prefix, message) % Q
    point = packed(times(r, BASE))
    return point + ((r + number(point, packed(times(a, BASE)), message) * a) % Q).to_bytes(32, "little")


def holds(key, message, signature):
    s = int.from_bytes(signature[32:], "little")
    h = number(signature[:32], key, message) % Q
    return s < Q and packed(times(s, BASE)) == packed(add(unpacked(signature[:32]), times(h, unpacked(key))))
