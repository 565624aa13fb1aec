"""The processes that do the work of jobs: ``python -m imgguard.worker``, and the pool that keeps several alive."""
