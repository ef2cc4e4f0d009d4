"""Every broken set-up, in the order in which the doctor would find them."""

from tests.doctor import in_clone, in_environment, in_files, in_network, in_rights, in_service

SET_UPS = (
    *in_files.SET_UPS,
    *in_clone.SET_UPS,
    *in_environment.SET_UPS,
    *in_network.SET_UPS,
    *in_service.SET_UPS,
    *in_rights.SET_UPS,
)
