# Errors of the user's code as the fields of an answer: "error", name, value, and the lines of the traceback.

longest_text <- 262144L

described <- function(condition, calls) {
  call <- own_call_removed(conditionCall(condition))
  where <- if (is.null(call)) "" else paste0(" in ", one_line(call))
  c(list("error", "Error", shortened(paste0("Error", where, ": ", conditionMessage(condition)))), traceback_lines(calls))
}

described_unparsed <- function(condition) list("error", "Error", paste0("Error: ", conditionMessage(condition)))

described_interrupt <- function() list("error", "Interrupted", "the code was interrupted")

is_interrupted <- function(reply) length(reply) > 1L && identical(reply[[2L]], "Interrupted")

# R reports an error at the top level of the user's code as one of the call that evaluates it.
own_call_removed <- function(call) if (identical(call, evaluating_call)) NULL else call

# The calls that the user's code made: after the first `depth`, before those of the condition system.
users_calls <- function(calls, depth) {
  user <- if (length(calls) > depth) calls[-seq_len(depth)] else list()
  ends <- which(vapply(user, is_signalling, logical(1)))
  if (length(ends)) user[seq_len(ends[1L] - 1L)] else user
}

is_signalling <- function(call) {
  is.function(call[[1L]]) || as.character(call[[1L]])[1L] %in% c(".handleSimpleError", ".signalSimpleWarning", "h")
}

# As R's own traceback() shows them: the innermost call first.
traceback_lines <- function(calls) {
  numbers <- rev(seq_along(calls))
  lapply(utils::head(numbers, 200L), function(number) paste0(number, ": ", one_line(calls[[number]]), "\n"))
}

one_line <- function(call) {
  lines <- deparse(call, width.cutoff = 120L, nlines = 2L)
  if (length(lines) > 1L) paste0(lines[1L], " ...") else lines
}

shortened <- function(text) if (nchar(text, "bytes") > longest_text) paste0(substr(text, 1L, longest_text), " ...") else text
