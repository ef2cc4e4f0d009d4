"""Objects that the bucket holds for certain: with the content that their names promise."""

from collections.abc import Iterable

import numpy as np

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.audit import deep
from dvc_bucket.dvc.audit.compare import Survey
from dvc_bucket.dvc.audit.listing import AS_NAMED, Listing
from dvc_bucket.dvc.audit.notes import Notes
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.arrays import array_of
from dvc_bucket.dvc.remote.place import Remote


def proven(project: Project, remote: Remote, names: Iterable[bytes]) -> set[bytes]:
    """Return those of the objects that the remote holds, each with the right content.

    An ETag that is the MD5 of the name proves it. Any other object is read and hashed, unless
    `bucket verify --deep` has read this version of it.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    wanted = list(dict.fromkeys(names))
    survey = Survey(Listing(remote, with_legacy=any(map(ids.is_legacy, wanted))))
    places = survey.listing.find(array_of(wanted))
    there = np.unique(places[places >= 0])
    survey.needed[there] = True
    deep.read(remote, survey, there[survey.listing.tags[there] != AS_NAMED], Notes(project))
    return {survey.name(place) for place in survey.sound().tolist()}
