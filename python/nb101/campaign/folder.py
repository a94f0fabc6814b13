"""The names in a campaign's folder, as `docs/guides/campaigns.md` lists them.

Folders are gone on with by later versions: a name that is here stays.
"""

KIND = "campaign run"
"""What the mark of the folder says; see `nb101._base.files.claim_folder`."""
LOCK = ".lock"
"""Held by the coordinator; the one in the folder of a run by its worker."""
SESSION = "session.json"
"""There while a coordinator is at work: JSON with its token."""
IMAGES = "images.npz"
"""Images that came as arrays."""
LEDGER = "ledger.sqlite"
JOURNALS = ("-journal", "-wal", "-shm")
"""Endings of what SQLite keeps beside a ledger."""
PLAN = "ledger-plan.json"
"""The plan once more: what a lost ledger is made anew by."""
RESULTS = "results.jsonl"
NOW = "now.json"
"""In the folder of a run while that is computed: JSON with its progress."""
NEW_NOW = f"{NOW}.new"
"""The next one, until it takes its place."""


def run_key(cell_id: int, epochs: int, repeat: int, setting: int) -> str:
    """Name the folder of a run, in a thousand folders so that none is too full."""
    return f"checkpoints/{cell_id % 1000:03}/{cell_id}-{epochs}-{repeat}-{setting}"
