"""The same engines over real UDP sockets, and a real strongSwan to talk to. Not a VPN: for study only."""
