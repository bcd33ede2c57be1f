"""What can go wrong with a table, each with the fix in its message."""


class LakeError(Exception):
    """Anything that the lake refuses to do."""


class MissingTableError(LakeError):
    """The table has never been published."""


class MissingPartitionError(LakeError):
    """The table exists, but not for the asked day."""


class MissingVersionError(LakeError):
    """The asked version of a table does not exist, or its files have been cleaned up."""


class UnreadableTableError(LakeError):
    """The log of a table is damaged, or the storage does not answer."""


class SchemaChangeError(LakeError):
    """A column arrives with a type that the table cannot take."""


class UnstorableTypeError(LakeError):
    """A column has a type that Delta tables do not have."""


class StagedFilesError(LakeError):
    """Staged files are missing or damaged, so that they cannot be published."""


class PublishConflictError(LakeError):
    """Other writers kept winning, or the storage failed: nothing was published."""
