# Runs the text of a statement in the global environment.

# The fields of the answer: "ok", or the description of an error.
run <- function(code) {
  expressions <- tryCatch(parsed(code), error = identity)
  if (inherits(expressions, "error")) return(described_unparsed(expressions))
  calls <- NULL
  depth <- sys.nframe()
  warned <- list()
  outcome <- withRestarts(tryCatch(
    withCallingHandlers(
      {
        allowInterrupts(evaluate(expressions))
        list("ok")
      },
      error = function(condition) calls <<- sys.calls(),
      warning = function(condition) {
        if (isTRUE(getOption("warn") == 0)) {
          warned[[length(warned) + 1L]] <<- condition
          invokeRestart("muffleWarning")
        }
      }
    ),
    error = function(condition) described_safely(condition, calls, depth),
    interrupt = function(condition) described_interrupt()
  ), abort = described_abort) # without this, invokeRestart("abort") ends R
  show_warnings(warned)
  outcome
}

# R cannot hold a text with a zero byte: that is an error as well.
parsed <- function(code) parse(text = gsub("\r\n?", "\n", text_of(code)), encoding = "UTF-8", keep.source = FALSE)

# A late interrupt for the previous statement must not stop the next one.
forget_interrupts <- function() tryCatch(allowInterrupts(NULL), interrupt = function(condition) NULL)

evaluating_call <- quote(eval(expressions[[index]], globalenv()))

# All expressions in order; the value of the last one is shown if it is visible.
evaluate <- function(expressions) {
  for (index in seq_along(expressions)) {
    result <- withVisible(eval(expressions[[index]], globalenv())) # see evaluating_call
    if (index == length(expressions) && result$visible) show_value(result$value)
  }
}

show_value <- function(value) if (isS4(value)) methods::show(value) else print(value)

# The user's calls begin after the two frames of `eval`. Printing a value has no such frames.
frames_to_user <- function(calls, depth) {
  names <- vapply(calls, function(call) if (is.name(call[[1L]])) as.character(call[[1L]]) else "", "")
  evaluating <- which(names == "evaluate" & seq_along(calls) > depth)[1L]
  if (is.na(evaluating)) return(length(calls))
  rest <- names[-seq_len(evaluating)]
  lead <- if (length(rest) && rest[1L] == "show_value") 1L else match(c("eval", NA), rest, nomatch = 0L)[1L] + 1L
  evaluating + lead
}

# Where output and plots go: the open sinks and devices.
redirections <- function() {
  list(sinks = sink.number(), messages = sink.number(type = "message"), devices = grDevices::dev.list())
}

# Code that fails does not reach its `sink()` or `dev.off()`. Without this, later statements would show nothing.
end_redirections <- function(before) {
  while (sink.number() > before$sinks) sink()
  if (sink.number(type = "message") != before$messages) sink(type = "message")
  for (device in setdiff(grDevices::dev.list(), before$devices)) grDevices::dev.off(device)
}

# R keeps warnings until a top-level call ends. Here that is the end of the statement.
show_warnings <- function(conditions) {
  if (length(conditions) == 0L) return(invisible())
  conditions <- utils::head(conditions, 50L)
  calls <- lapply(conditions, function(condition) own_call_removed(conditionCall(condition)))
  shown <- structure(calls, names = vapply(conditions, conditionMessage, ""), class = "warnings")
  try(print(shown), silent = TRUE)
}
