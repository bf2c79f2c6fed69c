# Plots as PNG images: a device is opened when the code first draws, and closed when the statement ends.

plots <- new.env()
plots$pattern <- NULL
plots$device <- NULL

# For options(device = ): R calls it when something is drawn and no device is open.
open_device <- function(...) {
  if (!is.null(plots$pattern)) unlink(Sys.glob(paste0(plots$pattern, "-*.png"))) # the code closed that device itself
  plots$pattern <- tempfile("livius-plot-")
  grDevices::png(filename = paste0(plots$pattern, "-%05d.png"))
  plots$device <- grDevices::dev.cur()
}

# The image of the last page drawn, as raw bytes; empty if nothing was drawn.
take_plot <- function() {
  if (is.null(plots$pattern)) return(raw())
  close_device()
  pages <- sort(Sys.glob(paste0(plots$pattern, "-*.png")))
  plots$pattern <- NULL
  on.exit(unlink(pages))
  if (length(pages) == 0L) raw() else readBin(utils::tail(pages, 1L), "raw", n = file.size(utils::tail(pages, 1L)))
}

# The user's code may have closed the device itself, or have opened others.
close_device <- function() {
  current <- grDevices::dev.cur()
  if (plots$device %in% grDevices::dev.list()) grDevices::dev.off(plots$device)
  plots$device <- NULL
  if (current %in% grDevices::dev.list()) grDevices::dev.set(current)
}
