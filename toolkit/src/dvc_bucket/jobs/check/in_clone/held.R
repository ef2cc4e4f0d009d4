# Fixes random numbers without a seed, and measured durations, in the R of a stage: for experiments
# of `bucket check`. R reads it in the place of its site profile (?Startup). The clock itself is held
# by libfaketime; while that stands, R's own Sys.sleep would not end.
local({
  site <- Sys.getenv("BUCKET_HELD_R_PROFILE", file.path(R.home("etc"), "Rprofile.site"))
  if (file.exists(site)) sys.source(site, envir = baseenv())
  put <- function(name, value) {
    unlockBinding(name, baseenv())
    assign(name, value, envir = baseenv())
  }
  chance <- Sys.getenv("BUCKET_HELD_CHANCE")
  if (nzchar(chance)) set.seed(as.integer(chance))
  clock <- Sys.getenv("BUCKET_HELD_CLOCK")
  if (nzchar(clock) && !grepl("runs", clock)) {
    put("Sys.sleep", function(time) invisible(system(paste("sleep", format(time)))))
    none <- structure(
      numeric(5),
      names = c("user.self", "sys.self", "elapsed", "user.child", "sys.child"),
      class = "proc_time"
    )
    put("proc.time", function() none)
  }
})
