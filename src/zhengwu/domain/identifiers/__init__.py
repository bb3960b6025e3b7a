"""Numbers and names by which people and organisations are known, checked by their standards."""

from zhengwu.domain.identifiers.names import organisation_name, person_name
from zhengwu.domain.identifiers.numbers import (
    organisation_check,
    organisation_code,
    registration_check,
    registration_no,
    resident_check,
    resident_id,
    uscc,
    uscc_check,
)

__all__ = [
    "organisation_check",
    "organisation_code",
    "organisation_name",
    "person_name",
    "registration_check",
    "registration_no",
    "resident_check",
    "resident_id",
    "uscc",
    "uscc_check",
]
