# Parses the agent's R files and checks how they use names and arguments: `Rscript lint.R <folder>`.

folder <- commandArgs(trailingOnly = TRUE)[1L]
files <- list.files(folder, pattern = "[.]R$", full.names = TRUE)
functions <- new.env(parent = globalenv())
for (file in files) {
  # start.R runs the agent; it is only parsed.
  if (basename(file) == "start.R") parse(file) else sys.source(file, functions)
}
# Some distributions package R without codetools.
if (!requireNamespace("codetools", quietly = TRUE)) {
  cat("codetools is not installed: the files were only parsed\n")
  quit(status = 0L)
}
found <- character()
codetools::checkUsageEnv(
  functions,
  report = function(text) found <<- c(found, text),
  all = TRUE, suppressParamUnused = TRUE, suppressParamAssigns = TRUE
)
cat(found, sep = "")
quit(status = if (length(found)) 1L else 0L)
