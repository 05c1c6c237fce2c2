"""Where everybody is: two gateways on one wire, and a site with one host behind each. By IP version."""

from ipsecsim.base.address import Prefix, pack

OUR_GATEWAY = {4: pack("192.0.2.1"), 6: pack("2001:db8::1")}
ITS_GATEWAY = {4: pack("192.0.2.2"), 6: pack("2001:db8::2")}
OUR_ROUTER = {4: pack("10.1.0.1"), 6: pack("2001:db8:1::1")}  # the gateway as its site sees it
ITS_ROUTER = {4: pack("10.2.0.1"), 6: pack("2001:db8:2::1")}
OUR_HOST = {4: pack("10.1.0.9"), 6: pack("2001:db8:1::9")}
ITS_HOST = {4: pack("10.2.0.9"), 6: pack("2001:db8:2::9")}
OUR_SITE = {4: Prefix.parse("10.1.0.0/24"), 6: Prefix.parse("2001:db8:1::/64")}
ITS_SITE = {4: Prefix.parse("10.2.0.0/24"), 6: Prefix.parse("2001:db8:2::/64")}
LENGTH = {4: 24, 6: 64}  # of all prefixes
EVERYWHERE = {4: Prefix(bytes(4), 0), 6: Prefix(bytes(16), 0)}
WHOLE = {4: 32, 6: 128}  # length of an address in bits
