"""When a request that got no answer is sent again (RFC 7296 2.4)."""

from dataclasses import dataclass

from ipsecsim.base.instant import SECOND, Duration


@dataclass(frozen=True, slots=True)
class RetransmitPolicy:
    """Exponential back-off; the defaults are strongSwan's: six sendings, given up after 165 s."""

    timeout: Duration = 4 * SECOND
    base: float = 1.8
    tries: int = 5

    def wait(self, sent_again: int) -> Duration:
        """How long to wait for an answer after the request was repeated `sent_again` times."""
        return round(self.timeout * self.base**sent_again)

    @property
    def patience(self) -> Duration:
        """How long it takes to give up."""
        return sum(self.wait(sent_again) for sent_again in range(self.tries + 1))

    def tries_within(self, time: Duration) -> int:
        """How often at least, so that nobody gives up before so much time is over."""
        tries, waited = self.tries, self.patience
        while waited < time:
            tries += 1
            waited += self.wait(tries)
        return tries
