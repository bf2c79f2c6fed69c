# The life of the process: start, one statement after another, end.

serve <- function() {
  orders <- strsplit(readLines(input <- file("stdin"), n = 1L), " ", fixed = TRUE)[[1L]]
  close(input)
  # A second descriptor of the pipe, for code that redirects or closes standard output.
  output <- file("/dev/fd/1", open = "wb", raw = TRUE)
  connection <- connect(as.integer(orders[1L]), orders[2L])
  prepare_session(list(connection, output))
  missing <- attach_spark(suppressWarnings(as.integer(orders[3L])), orders[4L])
  send(connection, list(missing))
  suspendInterrupts(while (!is.null(request <- receive(connection))) {
    forget_interrupts()
    if (identical(text_of(request[[1L]]), "complete")) {
      send(connection, complete(request[[2L]]))
    } else {
      begin_jobs(text_of(request[[4L]]), text_of(request[[5L]]))
      answer(connection, output, request[[2L]], request[[3L]])
    }
  })
}

answer <- function(connection, output, code, marker) {
  before <- redirections()
  reply <- run(code)
  if (is_interrupted(reply)) reconnect_backend()
  image <- tryCatch(take_plot(), error = function(condition) raw())
  if (!identical(reply[[1L]], "ok")) try(end_redirections(before), silent = TRUE)
  if (identical(reply[[1L]], "ok")) reply <- list("ok", image)
  flush(stdout())
  writeBin(marker, output)
  flush(output)
  send(connection, reply)
}

# Replaces base's functions that would end the session.
prepare_session <- function(own_connections) {
  options(device = open_device, crayon.enabled = FALSE, cli.num_colors = 1L, cli.unicode = l10n_info()[["UTF-8"]])
  tools <- list(q = refuse_to_quit, quit = refuse_to_quit, closeAllConnections = connection_closer(own_connections))
  attach(tools, name = "tools:livius", warn.conflicts = FALSE)
}

refuse_to_quit <- function(...) stop("q() is not available in a session: delete the session to end it", call. = FALSE)

connection_closer <- function(own_connections) {
  function() {
    while (sink.number() > 0L) sink()
    own <- vapply(c(own_connections, list(backend_connection())), as.integer, 0L)
    for (number in setdiff(getAllConnections(), c(0:2, own))) close(getConnection(number))
  }
}
