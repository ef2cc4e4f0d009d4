"""The template that the project was made of: `make update` needs to know it."""

from dvc_bucket.base import toolkit
from dvc_bucket.git import answers
from dvc_bucket.jobs.doctor.check import Check, Warn
from dvc_bucket.jobs.doctor.patient import Patient
from dvc_bucket.jobs.doctor.repository import GitThere


class TemplateVersion(Check):
    """The template's version is the toolkit's: files of another one may call what is not there."""

    name = "template"
    fix = "`make update`"
    requires = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Compare the version in copier's answers with the installed toolkit."""
        present, installed = answers.read(patient.project), toolkit.version()
        if present is None:
            if restore := answers.restore(patient.project):
                raise Warn(f"{answers.FILE} is missing; `make update` needs it", f"`{restore}`")
            return "not created from a template"
        if present.version and present.version != installed:
            raise Warn(f"version {present.version}; {toolkit.DISTRIBUTION} is {installed}")
        return present.version or present.commit
