# Frames between this process and the agent: four bytes of length, then fields, each with four bytes of length before it.

# R's sockets have a timeout, and a session may be idle for days.
patience_seconds <- 2147483L

connect <- function(port, secret) {
  connection <- socketConnection("127.0.0.1", port = port, open = "r+b", blocking = TRUE, timeout = patience_seconds)
  write_frame(connection, charToRaw(paste(secret, "run", Sys.getpid())))
  connection
}

# The fields of the next frame as raw vectors; NULL when the agent is gone.
receive <- function(connection) {
  frame <- read_counted(connection)
  if (is.null(frame)) return(NULL)
  source <- rawConnection(frame)
  on.exit(close(source))
  fields <- list()
  while (!is.null(field <- read_counted(source))) fields[[length(fields) + 1L]] <- field
  fields
}

send <- function(connection, fields) {
  write_frame(connection, unlist(lapply(fields, function(field) counted(as_bytes(field)))))
}

text_of <- function(field) {
  text <- rawToChar(field)
  Encoding(text) <- "UTF-8"
  text
}

as_bytes <- function(field) if (is.raw(field)) field else charToRaw(enc2utf8(field))

counted <- function(bytes) c(writeBin(length(bytes), raw(), size = 4L, endian = "big"), bytes)

write_frame <- function(connection, bytes) {
  writeBin(counted(bytes), connection)
  flush(connection)
}

read_counted <- function(connection) {
  wanted <- readBin(connection, "integer", n = 1L, size = 4L, endian = "big")
  if (length(wanted) == 0L) return(NULL)
  bytes <- raw()
  while (length(bytes) < wanted) {
    piece <- readBin(connection, "raw", n = wanted - length(bytes))
    if (length(piece) == 0L) return(NULL)
    bytes <- c(bytes, piece)
  }
  bytes
}
