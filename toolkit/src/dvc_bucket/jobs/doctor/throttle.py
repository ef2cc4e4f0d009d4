"""Does the store let us ask as much as we do? A cause of its own, whatever request met with it."""

from dvc_bucket.jobs.doctor.certificate import StoreAnswers
from dvc_bucket.jobs.doctor.check import Check, Problem, Warn
from dvc_bucket.jobs.doctor.patient import Patient


class NotThrottled(Check):
    """A store that is asked too much answers 429 or 503, whatever the request."""

    name = "throttling"
    fix = (
        "Try again later. If it persists, ask the store's operator for the request limit, and send "
        "fewer requests at a time: `bucket pull --jobs 4`."
    )
    requires = (StoreAnswers,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Look at the answers to all requests of this run."""
        answers = patient.answers
        if answers.gave_up:
            raise Problem(str(answers))
        if answers.throttled:
            raise Warn(
                f"{answers}, and succeeded when they were retried",
                "You need not do anything: commands also wait and retry. If they are slow, ask "
                "the store's operator for the request limit.",
            )
        return f"none of {answers.count} requests"
