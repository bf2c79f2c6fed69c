# Starts the R interpreter of a Livius session. Its own functions live in an environment that the user's code does not see.

local({
  folder <- commandArgs(trailingOnly = TRUE)[1]
  livius <- new.env(parent = .BaseNamespaceEnv)  # base first, then what the user defines, such as methods of print()
  for (name in c("channel.R", "completion.R", "errors.R", "evaluate.R", "plots.R", "spark.R", "shell.R")) {
    sys.source(file.path(folder, name), envir = livius)
  }
  livius$serve()
})
