# SparkR on the driver's own JVM: the session that all kinds share.

driver_class <- "livius.agent.RDriver"

spark <- new.env()
spark$backend <- NULL

# Binds `sc`, `spark` and `sqlContext`. Returns a text that tells what is missing, or "".
# Without a server in the JVM the port is NA.
attach_spark <- function(port, secret) {
  if (is.na(port)) return("this Spark has no server for SparkR any more: R runs without Spark")
  installed <- file.path(Sys.getenv("SPARK_HOME"), "R", "lib")
  if (dir.exists(file.path(installed, "SparkR"))) .libPaths(c(installed, .libPaths()))
  if (!requireNamespace("SparkR", quietly = TRUE)) {
    return(paste0("the package SparkR is neither in ", installed, " nor in R's own library: R runs without Spark"))
  }
  tryCatch({
    suppressPackageStartupMessages(library("SparkR", character.only = TRUE, warn.conflicts = FALSE))
    spark$backend <- list(port = port, secret = secret)
    connect_backend()
    bind_session()
    if (dir.exists(file.path(installed, "SparkR"))) "" else paste0("SparkR is not in ", installed,
      ", where Spark's workers look for it: createDataFrame() of local data, dapply() and the like will fail")
  }, error = function(condition) {
    spark$backend <- NULL
    paste0("SparkR cannot use this Spark, R runs without it: ", conditionMessage(condition))
  })
}

# Puts Spark's jobs into the statement's group, by which they are counted and cancelled. Binds the
# session again if code of the driver has replaced it.
begin_jobs <- function(group, description) {
  if (is.null(spark$backend)) return(invisible())
  try(if (SparkR:::callJStatic(driver_class, "begin", group, description)) bind_session(), silent = TRUE)
}

# The connection to Spark's server in the JVM; standard input if there is none.
backend_connection <- function() {
  if (is.null(spark$backend)) stdin() else get(".sparkRCon", envir = SparkR:::.sparkREnv)
}

# An interrupted call leaves its answer in the connection, and the next call would read it.
reconnect_backend <- function() {
  if (is.null(spark$backend)) return(invisible())
  try(close(backend_connection()), silent = TRUE)
  try(connect_backend(), silent = TRUE)
}

connect_backend <- function() {
  SparkR:::connectBackend("localhost", spark$backend$port, timeout = patience_seconds, authSecret = spark$backend$secret)
}

bind_session <- function() {
  assign(".scStartTime", as.integer(Sys.time()), envir = SparkR:::.sparkREnv)
  context <- SparkR:::callJStatic(driver_class, "javaSparkContext")
  session <- SparkR:::callJStatic(driver_class, "session")
  assign(".sparkRjsc", context, envir = SparkR:::.sparkREnv)
  assign(".sparkRsession", session, envir = SparkR:::.sparkREnv)
  assign("sc", context, envir = globalenv())
  assign("spark", session, envir = globalenv())
  assign("sqlContext", session, envir = globalenv())
}
