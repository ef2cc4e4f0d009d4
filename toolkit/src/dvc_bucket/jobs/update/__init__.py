"""`make update`: takes a newer version of the template into a project.

1. `merge.merging` clones the project and the template to temporary folders, lets copier update
   that clone, locks the packages there (`locks`), and applies the difference to the work
   tree. Until then nothing in it has changed, and no file that git does not know is ever touched.
2. `proof` runs with the new Makefile and the new toolkit: tests, the stages that changed, summary.
"""
