"""Jobs and their items as plain JSON: the same wherever they are printed or sent."""

from imgguard.ports import Item, Job
from imgguard.services.account_objects import iso


def job_object(job: Job) -> dict[str, object]:
    """``waiting_count``: items that are neither done nor failed; of a job that is over, those that were cancelled."""
    return {
        "job_id": job.job_id,
        "organisation_id": job.organisation_id,
        "member_id": job.member_id,
        "key_id": job.key_id,
        "kind": job.kind,
        "options": dict(job.options),
        "state": job.state.value,
        "is_over": job.is_over,
        "item_count": job.item_count,
        "done_count": job.done_count,
        "failed_count": job.failed_count,
        "waiting_count": job.item_count - job.done_count - job.failed_count,
        "created_at": iso(job.created_at),
        "started_at": iso(job.started_at),
        "finished_at": iso(job.finished_at),
    }


def item_object(item: Item) -> dict[str, object]:
    """``result`` is what the kind of the job keeps, null unless the item is done; of a registration, which keeps more
    than everybody may see, show what `References.registered` makes of it."""
    return {
        "position": item.position,
        "state": item.state.value,
        "file": item.file,
        "sha256": item.sha256,
        "url": item.url,
        "attempts": item.attempts,
        "result": None if item.result is None else dict(item.result),
        "error": None if item.error is None else {"code": item.error.code, "detail": item.error.detail},
        "finished_at": iso(item.finished_at),
    }
