"""All use of DVC's private modules; the rest of the toolkit uses DVC through here.

In the places of DVC's functions
    touch_points, stage_touch_points    the places, each with the signature that it has to have
    differences                         compares this DVC with them
    install, replacement                put our functions there, all of them or none
    chosen                              a person wants plain DVC
    channel, errors, unexpected         messages and errors, as DVC shows them

A remote and the cache
    s3, staying                         the file system of a remote, on our client
    questions, other_projects           what is asked of it, and with whose keys
    remotes, copy                       DVC's own ways to copy and look up there
    gathered, moving, remote_index      a push or a pull, by hashes alone
    gc                                  in which order `dvc gc` deletes

Files of the work tree
    new_folders, bringing               a checkout of folders that are not there
    links, tried_links                  which kinds of link work
    added_again, each_file, file_lists  `dvc add` of folders, and their lists
    lookups, index_lookups, found_once  what DVC looks up for each output

Stages
    side_by_side, plan, order, left     several at once: which may begin, and what they leave
    baton, nesting, locks, waiting      the locks of a clone and of its paths
    recording, plain_yaml, plain_lines  `dvc.lock`, written and read
    experiments, sharing                experiments, and the stages that several have in common
    stage_runner                        runs the stages of a commit that has not this toolkit

What DVC knows
    repository, index                   a project, and a revision of it as plain values
    read_once, last_index               what is read once and kept
    reported_status                     what `status` has reported
    whole_commits                       commits of a partial clone
    listed_experiments, plots           experiments, metrics and plots, as DVC shows them
    command_line                        DVC's command line, in this process
    hashes, yaml, types                 old hashes, YAML that keeps its bytes, annotations
"""
