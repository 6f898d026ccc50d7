#!/usr/bin/perl
# A worker in Perl: ZMQ::FFI (Debian: libzmq-ffi-perl) and MDP 0.1. Start it on the engine's socket without keys:
#     perl greeter.pl tcp://127.0.0.1:5556 demo.greet
use strict;
use warnings;
use Time::HiRes qw(sleep time);
use ZMQ::FFI;
use ZMQ::FFI::Constants qw(ZMQ_DEALER);

my ($READY, $REQUEST, $REPLY, $HEARTBEAT, $DISCONNECT) = map { chr } 1 .. 5;
my ($endpoint, $service) = @ARGV;
my $context = ZMQ::FFI->new();

sub hello {
    my $socket = $context->socket(ZMQ_DEALER);
    $socket->set_linger(0);
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
    ($socket, $heard) = hello() if $kind eq $DISCONNECT or time - $heard > 10;
}
