"""Objects that the bucket holds for certain: with the content that their names promise."""

from collections.abc import Iterable

import numpy as np

from bucket.paths import Project
from bucket.remote import ids
from bucket.remote.arrays import array_of
from bucket.remote.place import Remote
from bucket.verify import deep
from bucket.verify.compare import Survey
from bucket.verify.listing import AS_NAMED, Listing
from bucket.verify.notes import Notes


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
