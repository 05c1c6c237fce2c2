"""The keys of SAs by hand, under `ipsec: sas:`. There is no negotiation, so each says all that is to be said."""

from ipsecsim.scenario.kinds import Field, Short, Table, word
from ipsecsim.scenario.scalars import (
    AH_SUITE,
    BYTES,
    ESP_SUITE,
    HEXADECIMAL,
    KEY,
    SECONDS,
    SPI,
    TEXT,
    TFC_PADDING,
    WHOLE,
    WINDOW,
    YES_NO,
)

MODE = word("tunnel", "transport")

OPTIONS = {
    "replay_window": Field(
        WINDOW, "how far packets may be out of order, 32 to 4096; 0: not checked, right for keys by hand", "0"
    ),
    "copy_ecn": Field(YES_NO, "copy congestion marks", "yes"),
    "copy_dscp": Field(word("out", "in", "yes", "no"), "copy the code point", "out"),
    "tfc_padding": Field(TFC_PADDING, "pad every packet to this size", "0"),
    "life_time": Field(SECONDS, "when to give up the keys; 0: never", "0s"),
    "life_bytes": Field(BYTES, "give up after so much; 0: never", "0"),
    "life_packets": Field(WHOLE, "give up after so many; 0: never", "0"),
}
"""What a child of a tunnel with keying: manual may say too."""

PAIR = Table(
    "key",
    {
        "encryption": Field(HEXADECIMAL, "the cipher's key, and its salt if it has one"),
        "integrity": Field(HEXADECIMAL, "the key of the integrity check"),
    },
)

MANUAL_SA = Table(
    "sa",
    {
        "spi": Field(SPI, "the number on the packets"),
        "src": Field(TEXT, "from: a node or address"),
        "dst": Field(TEXT, "to: a node or address"),
        "esp_proposals": Field(ESP_SUITE, "the ESP algorithms"),
        "ah_proposals": Field(AH_SUITE, "the AH algorithm; then it is no ESP"),
        "key": Field(
            Short(PAIR, KEY, is_list=False),
            "seed:NAME, fresh for each run and the same wherever it is named; 0x hexadecimal, the integrity key "
            "behind the cipher's; or both by name",
        ),
        "mode": Field(MODE, "tunnel or transport; left out: what its rule says, else transport"),
        "sequence": Field(WHOLE, "the number of the last packet before", "0"),
        "encap": Field(YES_NO, "ESP in UDP", "no"),
        "dont_fragment": Field(word("copy", "set", "clear"), "Don't Fragment in the outer header", "copy"),
        **OPTIONS,
    },
    elsewhere={"copy_df": "write dont_fragment: copy, set or clear", "esn": "it is a word of the proposal"},
    required=("spi", "src", "dst", "key"),
)
