"""DVC's commands as a table: importing DVC takes longer than most commands of ours."""

#: Every command of DVC 3.67, with its other names. A test compares this with DVC.
_WORDS = """
    add artifacts cache check-ignore checkout commit completion config daemon dag data dataset
    destroy diff doctor ds du exp experiments fetch freeze gc get get-url git-hook import import-db
    import-url init install list list-url ls ls-url metrics move mv params plots pull push queue
    remote remove repro rm root stage status studio test-db unfreeze unprotect update version
"""
WORDS = frozenset(_WORDS.split())

#: Commands that `bucket --help` lists, each with its sentence.
LISTED = {
    "pull": "Download the data of the work tree from the bucket (`dvc pull`).",
    "push": "Upload the data of the work tree to the bucket (`dvc push`).",
    "fetch": "Download data to the cache without changing the work tree (`dvc fetch`).",
    "add": "Track a file or directory with DVC (`dvc add`).",
    "status": "Show changed data and stages; `-c` compares with the bucket (`dvc status`).",
}
