"""The sender that calls nobody: its messages are read in the outbox."""

from followups.senders.base import Found, Outcome, Outgoing, Reply, Result, Sender


class LogSender(Sender):
    provider = "log"
    calls_out = False

    def _send(self, message: Outgoing) -> Result:
        return Result(Outcome.ACCEPTED, provider_id=message.uid)

    def _query(self, message: Outgoing) -> Reply:
        return Reply(Found.ABSENT)
