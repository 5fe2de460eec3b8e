"""A worked example of the handbook: a sender. Run by tests/docs/test_examples.py."""

# 1. The class.
from followups.senders.base import Found, NotTaken, Outcome, Outgoing, Reply, Result, Sender, Unclear

STATES = {"printed": Found.ACCEPTED, "posted": Found.DELIVERED, "returned": Found.FAILED}


class LetterShopSender(Sender):
    provider = "lettershop"
    required = ("token",)  # what a clinic must enter
    endpoint = "https://letters.example.com"

    def _send(self, message: Outgoing) -> Result:
        letter = {"id": message.uid, "to": message.to, "text": message.body}
        response = self._ask("POST", f"{self.base}/letters", json=letter, headers=self._headers())
        said = self._json(response)
        if said.get("busy"):  # it says so before it takes anything
            raise NotTaken("the shop is busy")
        if response.status_code == 200 and said.get("id") == message.uid:
            return Result(Outcome.ACCEPTED, provider_id=str(said.get("number", "")))
        if response.status_code == 422:
            return Result(Outcome.REJECTED, detail=str(said.get("reason", ""))[:300])
        raise Unclear(f"HTTP {response.status_code}")

    # 2. Asking what became of it.
    def _query(self, message: Outgoing) -> Reply:
        response = self._ask("GET", f"{self.base}/letters/{message.uid}", headers=self._headers())
        if response.status_code == 404:
            return Reply(Found.ABSENT)
        return Reply(STATES.get(str(self._json(response).get("state")), Found.CANNOT_TELL))

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.config['token']}"}
