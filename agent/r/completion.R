# Names that complete the text at the cursor.
#
# Names are only looked up. No method is called and no active binding asked, so no code of the user's runs. The one exception is what base R
# cannot tell from a value: a variable of the global environment made by delayedAssign() is computed when its members are asked for.

most_candidates <- 1000L
most_names <- 100000L
longest_name <- 200L

# The end of the text: names joined by operators, and the name that is being typed. `1:x` is not such an operator.
typed_pattern <- local({
  name <- "(?:[\\p{L}.][\\p{L}\\p{N}._]*+|`[^`\n]++`)"
  begin <- "(?<![\\p{L}\\p{N}._`$@])(?<!::)"
  paste0(begin, "(?:", name, "(?:\\$|@|:::?))*+(?:[\\p{L}.][\\p{L}\\p{N}._]*+)?$")
})

reserved <- c("FALSE", "Inf", "NA", "NA_character_", "NA_complex_", "NA_integer_", "NA_real_", "NULL", "NaN", "TRUE", "break", "else",
  "for", "function", "if", "in", "next", "repeat", "while")

# Names that complete the end of the text, sorted; none when the search takes too long and the agent interrupts.
complete <- function(text) {
  tryCatch(
    allowInterrupts(suppressWarnings(candidates(text_of(text)))),
    error = function(condition) character(),
    interrupt = function(condition) {
      reconnect_backend()
      character()
    }
  )
}

candidates <- function(before) {
  found <- regexpr(typed_pattern, before, perl = TRUE)
  typed <- if (found < 0L) "" else substring(before, found)
  parts <- regmatches(typed, gregexpr("`[^`]*`|\\$|@|:::?|[^$@:`]+", typed, perl = TRUE))[[1L]]
  if (length(parts) == 0L) return(character())
  operators <- grepl("^[$@:]", parts)
  prefix <- if (operators[length(parts)]) "" else parts[length(parts)]
  names <- if (any(operators)) members(parts[seq_len(max(which(operators)))]) else c(visible_names(), reserved)
  offered(names, prefix)
}

offered <- function(names, prefix) {
  names <- enc2utf8(names[Encoding(names) == "latin1" | validUTF8(names) & Encoding(names) != "bytes"])
  names <- unique(names[which(startsWith(names, prefix))])
  if (!startsWith(prefix, ".")) names <- names[!startsWith(names, ".")]
  names <- names[nzchar(names) & nchar(names) <= longest_name]
  names <- utils::head(sort(names, method = "radix"), most_candidates)
  odd <- make.names(names) != names & !names %in% reserved
  names[odd] <- paste0("`", gsub("([\\\\`])", "\\\\\\1", names[odd]), "`")
  names
}

visible_names <- function() callable(unlist(lapply(environments(), names_in)))

# `names<-` is called as `names(x) <- value`.
callable <- function(names) names[!grepl("<-", names, fixed = TRUE, useBytes = TRUE)]

# The environments in which R looks for a name, in order.
environments <- function() {
  all <- list()
  place <- globalenv()
  while (!identical(place, emptyenv())) {
    all[[length(all) + 1L]] <- place
    place <- parent.env(place)
  }
  all
}

names_in <- function(place) utils::head(ls(place, all.names = TRUE, sorted = FALSE), most_names)

# The names that can follow `a$b$`, given as "a", "$", "b", "$".
members <- function(path) {
  names <- gsub("^`|`$", "", path[c(TRUE, FALSE)])
  operators <- path[c(FALSE, TRUE)]
  if (operators[1L] %in% c("::", ":::")) {
    if (length(names) == 1L) return(package_names(names, operators))
    value <- in_package(names[1L], operators[1L], names[2L])
    names <- names[-1L]
    operators <- operators[-1L]
  } else {
    value <- variable(names[1L])
  }
  for (index in seq_along(names)[-1L]) value <- member(value, operators[index - 1L], names[index])
  if (operators[length(operators)] != "@") names_of(value) else if (isS4(value)) methods::slotNames(value)
}

# Does not load a package: that would run its code.
package_names <- function(package, operator) {
  if (!isNamespaceLoaded(package)) return(if (operator == "::") installed_exports(package))
  if (operator == ":::") names_in(asNamespace(package)) else callable(getNamespaceExports(package))
}

installed_exports <- function(package) {
  file <- file.path(find.package(package, quiet = TRUE)[1L], "Meta", "nsInfo.rds")
  if (file.exists(file)) readRDS(file)$exports
}

in_package <- function(package, operator, name) {
  if (!isNamespaceLoaded(package)) return(NULL)
  place <- asNamespace(package)
  if (operator == ":::" || exists(name, envir = place, inherits = FALSE)) value_in(place, name) else getExportedValue(package, name)
}

variable <- function(name) {
  for (place in environments()) if (exists(name, envir = place, inherits = FALSE)) return(value_in(place, name))
}

value_in <- function(place, name) {
  if (!exists(name, envir = place, inherits = FALSE) || bindingIsActive(as.name(name), place)) return(NULL)
  get(name, envir = place, inherits = FALSE)
}

member <- function(value, operator, name) {
  if (operator == "@") return(attr(value, name, exact = TRUE))
  place <- environment_of(value)
  if (!is.null(place)) value_in(place, name) else if (is.list(value)) .subset2(value, name)
}

names_of <- function(value) {
  if (isS4(value) && methods::is(value, "SparkDataFrame")) return(SparkR::columns(value))
  place <- environment_of(value)
  if (!is.null(place)) return(names_in(place))
  if (is.list(value) || is.pairlist(value)) utils::head(attr(value, "names", exact = TRUE), most_names)
}

# Objects of R5 and R6 are environments.
environment_of <- function(value) {
  if (typeof(value) == "S4") value <- attr(value, ".xData", exact = TRUE)
  if (typeof(value) == "environment") value
}
