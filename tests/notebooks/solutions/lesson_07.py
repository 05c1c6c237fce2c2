"""Answers to the exercises of lesson 7, by the tag of the cell that they stand in."""

ANSWERS = {
    "answer-7.1": """
def my_icv_input_v6(packet):
    p = bytearray(packet)
    p[0] &= 0xF0
    p[1:4], p[7:8], p[52:68] = bytes(3), bytes(1), bytes(16)
    return bytes(p)


bits = 8 + 20 + 8
""",
    "answer-7.2": """
mine = Lab("ah_on_the_road", box="home_router", sun="home_router").with_("nodes.sun.nat.pool=10.1.0.10")
""",
    "answer-7.3": """
total = 0xCB00 + 0x7105  # 203.0.113.5
total = (total & 0xFFFF) + (total >> 16)
low = total - 0x0A01
her_address = f"10.1.{low >> 8}.{low & 255}"
how_many = 1
""",
}
