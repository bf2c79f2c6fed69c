package livius.agent

import com.fasterxml.jackson.databind.JsonNode

/** Runs one statement of Scala code: piece by piece, with its magics, until the end or the first
  * failure.
  */
final class ScalaStatement(
    repl: Repl, stoppable: StoppableThread, settings: Settings, last: LastValue, live: LiveStreams) {

  import ScalaStatement._

  private val printed = new Printout(settings.outputBytes, live.out)
  private val magics = new ScalaMagics(repl, stoppable, settings, last)
  private var shown: Option[(String, JsonNode)] = None

  def run(code: String): Result = StandardOut.into(printed) {
    val parts = ScalaCell.split(code, text => repl.read(text) != Repl.Incomplete)
    // If a part of a statement does not parse, no part of it runs.
    prepare(parts) match {
      case Left(failed) => failed
      case Right(steps) => steps.iterator.map(perform).collectFirst { case Some(failed) => failed }.getOrElse(outcome)
    }
  }

  private def outcome: Result =
    Result.Ok(Seq(shown.getOrElse("text/plain" -> Json.text(printed.text))))

  private def prepare(parts: Seq[ScalaCell.Part]): Either[Result.Failed, Seq[Step]] = {
    val prepared = parts.map {
      case ScalaCell.Magic(name, argument) => Right(Seq(Show(name, argument)))
      case ScalaCell.Code(text, firstLine) => prepare(text, firstLine)
    }
    prepared.collectFirst { case Left(failed) => failed }.toLeft(prepared.collect { case Right(steps) => steps }.flatten)
  }

  private def prepare(text: String, firstLine: Int): Either[Result.Failed, Seq[Step]] = repl.read(text) match {
    case Repl.Incomplete => Left(Result.Failed("Error", "incomplete statement", Nil))
    case Repl.SyntaxErrors(problems) => Left(rejected(problems.map(p => p.copy(line = p.line + firstLine - 1))))
    case Repl.Complete(pieces) =>
      Right(ScalaCell.groups(pieces).map { piece =>
        Compute(text.substring(piece.from, piece.until), firstLine + text.take(piece.from).count(_ == '\n'))
      })
  }

  private def perform(step: Step): Option[Result.Failed] =
    if (stoppable.isAsked) Some(Cancellation.stopped(output))
    else step match {
      case Compute(text, line) => compute(text, line)
      case Show(name, argument) => show(name, argument)
    }

  private def compute(text: String, line: Int): Option[Result.Failed] = repl.run(text, line, hidden = false) match {
    case Repl.Done(echo, value) =>
      printed.print(echo)
      last.remember(value)
      None
    case Repl.Rejected(problems) => Some(rejected(problems))
    case Repl.Threw(error, trace) => Some(threw(error, trace))
  }

  private def show(name: String, argument: String): Option[Result.Failed] = magics.show(name, argument) match {
    case Right(data) =>
      shown = Some(data)
      None
    case Left(failed) => Some(failed)
  }

  private def rejected(problems: Seq[Repl.Problem]): Result.Failed = failure(ScalaErrors.lines(problems))

  // A cancel appears as different exceptions: those of interrupted calls, and Spark's for a
  // cancelled job.
  private def threw(error: Throwable, trace: String): Result.Failed =
    if (stoppable.isAsked) Cancellation.stopped(output ++ StackTraces.splitLines(trace))
    else failure(StackTraces.splitLines(trace))

  /** Livy's form: the first line is the value. Earlier output comes before the rest, so that it is
    * not lost.
    */
  private def failure(lines: Seq[String]): Result.Failed =
    Result.Failed("Error", lines.headOption.getOrElse("").trim, output ++ lines.drop(1))

  // Separate lines only while they are few: clients join them anyway.
  private def output: Seq[String] = {
    val text = printed.text
    if (text.length > MostAsLines) Seq(text) else StackTraces.splitLines(text)
  }
}

object ScalaStatement {
  private val MostAsLines = 256 * 1024
  private sealed trait Step
  private final case class Compute(text: String, line: Int) extends Step
  private final case class Show(name: String, argument: String) extends Step
}

/** The compiler's errors in the REPL's words. */
object ScalaErrors {

  def lines(problems: Seq[Repl.Problem]): Seq[String] = problems.flatMap { problem =>
    val place = if (problem.line > 0) s"<console>:${problem.line}: " else "<console>: "
    StackTraces.splitLines(s"${place}error: ${problem.message}") ++ problem.source.map(_ + "\n")
  }
}
