package livius.agent

import java.net.URL

/** The Scala compiler's interpreter, as far as the agent needs it. The implementation knows the
  * compiler's version.
  */
trait Repl {

  def read(code: String): Repl.Parsed

  /** Compiles and runs one piece. `firstLine` is where it begins in the user's text, counted from
    * 1, for error messages. A hidden piece shows no echo and takes none of the `resN` names.
    */
  def run(code: String, firstLine: Int, hidden: Boolean): Repl.Ran

  /** Names that complete the text at the cursor. */
  def complete(code: String, cursor: Int): Seq[String]

  def addToClassPath(jar: URL): Unit

  /** Loads the classes of what was run. */
  def loader: ClassLoader

  def close(): Unit
}

object Repl {

  sealed trait Parsed
  final case class Complete(pieces: Seq[Piece]) extends Parsed
  case object Incomplete extends Parsed
  final case class SyntaxErrors(problems: Seq[Problem]) extends Parsed

  /** A top-level statement: its place in the text and its kind. */
  final case class Piece(from: Int, until: Int, sort: Sort)

  sealed trait Sort
  case object Import extends Sort
  /** A class, object, type or method: it runs nothing by itself. */
  case object Definition extends Sort
  case object Execution extends Sort

  /** An error of the compiler. `line` is in the user's text, 0 when unknown; `source` holds the
    * line and its caret.
    */
  final case class Problem(line: Int, message: String, source: Seq[String])

  sealed trait Ran
  /** `value` gives the value of the last expression or definition, if there is one. */
  final case class Done(echo: String, value: () => Option[Any]) extends Ran
  final case class Rejected(problems: Seq[Problem]) extends Ran
  /** `trace` is the exception with the frames of user code, as text. */
  final case class Threw(error: Throwable, trace: String) extends Ran

  /** The constructor arguments of a version's implementation. */
  final case class Setup(
      classPath: Seq[String],
      classes: java.io.File,
      parent: ClassLoader,
      stoppable: StoppableThread)
}
