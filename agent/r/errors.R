# Errors of the user's code as the fields of an answer: "error", name, value, and the lines of the traceback.

longest_text <- 262144L
longest_line <- 1000L

# The calls are the user's too, and may be made of anything.
described_safely <- function(condition, calls, depth) {
  tryCatch(
    described(condition, users_calls(calls, frames_to_user(calls, depth))),
    error = function(broken) described(condition, list())
  )
}

described <- function(condition, calls) {
  call <- tryCatch(own_call_removed(conditionCall(condition)), error = function(broken) NULL)
  where <- if (is.null(call)) "" else paste0(" in ", one_line(call))
  c(list("error", "Error", shortened(paste0("Error", where, ": ", message_of(condition)))), traceback_lines(calls))
}

described_unparsed <- function(condition) list("error", "Error", shortened(paste0("Error: ", message_of(condition))))

# A condition is the user's: its message may be anything, and making it may fail.
message_of <- function(condition) {
  tryCatch(
    paste(valid(as.character(conditionMessage(condition))), collapse = "\n"),
    error = function(broken) "<the message of the condition could not be made>"
  )
}

described_interrupt <- function() list("error", "Interrupted", "the code was interrupted")

described_abort <- function() list("error", "Aborted", "the code invoked the restart 'abort'")

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
  lines <- tryCatch(deparse(call, width.cutoff = 120L, nlines = 2L), error = function(broken) "<a call that cannot be shown>")
  line <- shortened(valid(lines[1L]), longest_line)
  if (length(lines) > 1L) paste0(line, " ...") else line
}

shortened <- function(text, most = longest_text) if (nchar(text, "bytes") > most) paste0(substr(text, 1L, most), " ...") else text

# Texts as UTF-8. Bytes that are none are shown as <ff>.
valid <- function(texts) {
  texts[Encoding(texts) == "bytes"] <- iconv(texts[Encoding(texts) == "bytes"], "UTF-8", "UTF-8", sub = "byte")
  texts <- enc2utf8(texts)
  iconv(texts, "UTF-8", "UTF-8", sub = "byte")
}
