"""Virtual addresses against a charon: lent by it to us, and by us to it (RFC 7296 2.19, 3.15)."""

from ipsecsim.base.address import pack
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.events import AddressLent, AddressReturned, ChildSaFailed, ConfigurationReceived
from ipsecsim.ike.identity import Identity
from tests.interop import plays
from tests.interop.lab import OUR_INNER, OUR_INNER_6, PEER_INNER, PEER_INNER_2, PEER_INNER_6, Lab

VIP, VIP_6, WISH = "10.9.0.1", "fd09::1", "10.9.0.77"
FAILURE, REQUIRED = "INTERNAL_ADDRESS_FAILURE", "FAILED_CP_REQUIRED"


async def lent(lab: Lab) -> None:
    """Any address will do."""
    await _lent(lab, [VIP], [PEER_INNER], [OUR_INNER])


async def lent_as_wished(lab: Lab) -> None:
    """The client may wish; a pool of charon's gives what comes next all the same, and ours what is free."""
    await _lent(lab, [VIP if lab.case.role == "initiator" else WISH], [PEER_INNER], [OUR_INNER])


async def lent_both(lab: Lab) -> None:
    """One address of each IP version, and traffic from both of them in one Child SA."""
    await _lent(lab, [VIP, VIP_6], [PEER_INNER, PEER_INNER_6], [OUR_INNER, OUR_INNER_6])


async def split_tunnel(lab: Lab) -> None:
    """Two networks behind the gateway, and one address to come from."""
    await _lent(lab, [VIP], [PEER_INNER, PEER_INNER_2], [OUR_INNER])


async def _lent(lab: Lab, vips: list[str], theirs: list[str], ours: list[str]) -> None:
    with lab.step("CFG_REQUEST and CFG_REPLY, selectors narrowed"):
        await plays.bring_up(lab)
        ike, child = await plays.listed(lab)
        whose = "remote" if lab.case.role == "initiator" else "local"
        assert ike[f"{whose}-vips"] == vips
        assert child[f"{whose}-ts"] == [f"{vip}/{128 if ':' in vip else 32}" for vip in vips]
        if lab.case.role == "initiator":
            (told,) = lab.seen(ConfigurationReceived)
            assert isinstance(told, ConfigurationReceived)
            assert (told.addresses, told.name_servers) == (tuple(vips), ("10.2.0.53",))
            assert told.subnets == tuple(lab.case.peer_pools["four"]["subnet"].split(","))
        else:
            assert [
                event.address for event in lab.seen(AddressLent) if isinstance(event, AddressLent)
            ] == vips
    with lab.step("ping from the virtual address"):
        if lab.case.role == "initiator":
            for address in theirs:
                assert await lab.gateway.ping(pack(address)) is not None, f"{address}: no answer"
        else:
            for vip, address in zip(vips, ours, strict=True):
                (await lab.charon.ping(vip, address)).check()
    with lab.step("ping to the virtual address"):
        if lab.case.role == "initiator":
            for address, vip in zip(theirs, vips * 2, strict=False):
                (await lab.charon.ping(address, vip)).check()
        else:
            for vip in vips:
                assert await lab.gateway.ping(pack(vip)) is not None, f"{vip}: no answer"
    with lab.step("new keys for the IKE SA, same address"):
        (ours_before,) = lab.gateway.ike.sas
        lab.gateway.rekey_ike("net")
        await lab.until(lambda: ours_before not in lab.gateway.ike.sas, "the old one to go")
        if lab.case.role == "initiator":
            assert await lab.gateway.ping(pack(theirs[0])) is not None
        else:
            (await lab.charon.ping(vips[0], ours[0])).check()
    with lab.step("DELETE, and the same address again"):
        await plays.we_say_goodbye(lab)
        if lab.case.role == "responder":
            assert len(lab.seen(AddressReturned)) == len(vips)
        await plays.bring_up(lab)
        ike, _ = await plays.listed(lab)
        assert ike[f"{whose}-vips"] == vips


async def refused(lab: Lab) -> None:
    """A client that asks for nothing: the IKE SA stands without its child."""
    await _without_child(lab, REQUIRED)


async def exhausted(lab: Lab) -> None:
    """The pool has one address, and somebody else has it."""
    if lab.case.role == "initiator":
        with lab.step("the first client takes the last address"):
            lab.gateway.initiate("other")
            await lab.until(lambda: lab.gateway.is_up("other"), "the other connection")
    else:
        (pool,) = lab.case.our_pools
        lab.gateway.ike.leases.lend(pool, Identity.from_text("somebody.else"))
    await _without_child(lab, FAILURE)


async def _without_child(lab: Lab, notify: str) -> None:
    with lab.step(f"{notify}, IKE_SA without CHILD_SA"):
        if lab.case.role == "initiator":
            lab.gateway.initiate("net")
            await lab.until(lambda: bool(lab.seen(ChildSaFailed)), "the child's refusal")
        else:
            ended = await lab.charon.initiate(within=5 * SECOND)
            assert not ended.is_good
            assert f"received {notify} notify, no CHILD_SA built" in lab.charon.log_text()
        assert lab.seen(ChildSaFailed, notify=notify)
        assert not lab.gateway.is_up("net")
        names = {sa.connection.name for sa in lab.gateway.ike.sas}
        assert "charon" in names
    with lab.step("DELETE by us"):
        for sa in list(lab.gateway.ike.sas):
            lab.gateway.driver.turn("script", lambda sa=sa: sa.terminate(lab.gateway.driver.now))  # type: ignore[misc]
        await lab.until(lambda: all(sa.is_dead for sa in lab.gateway.ike.sas), "the end")
