# Fixes $RANDOM in the bash of a stage: for experiments of `bucket check`. Bash reads the file that
# BASH_ENV names.
[ -z "${BUCKET_HELD_BASH_ENV:-}" ] || . "$BUCKET_HELD_BASH_ENV"
[ -z "${BUCKET_HELD_CHANCE:-}" ] || RANDOM=$BUCKET_HELD_CHANCE
