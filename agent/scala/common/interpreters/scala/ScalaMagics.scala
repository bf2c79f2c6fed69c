package livius.agent

import com.fasterxml.jackson.databind.JsonNode

/** `%json x` and `%table x`: show the value of an expression as data instead of text. Without one,
  * the last value.
  */
final class ScalaMagics(repl: Repl, stoppable: StoppableThread, settings: Settings, last: LastValue) {

  import ScalaMagics._

  def show(name: String, expression: String): Either[Result.Failed, (String, JsonNode)] =
    if (!Known(name)) Left(Result.Failed("UnknownMagic", s"Unknown magic command $name", Nil))
    else valueOf(expression).flatMap(value => guarded(render(name, value))).flatMap(bounded)

  private def valueOf(expression: String): Either[Result.Failed, Any] =
    if (expression.isEmpty) last.get.toRight(missing(""))
    else repl.run(expression, firstLine = 1, hidden = true) match {
      case Repl.Done(_, value) =>
        last.remember(value)
        value().toRight(missing(expression))
      case Repl.Rejected(problems) if isUnknownName(expression, problems) => Left(missing(expression))
      case Repl.Rejected(problems) => Left(failure(ScalaErrors.lines(problems)))
      case Repl.Threw(_, trace) if stoppable.isAsked => Left(Cancellation.stopped(StackTraces.splitLines(trace)))
      case Repl.Threw(_, trace) => Left(failure(StackTraces.splitLines(trace)))
    }

  private def render(name: String, value: Any): (String, JsonNode) = {
    val json = new ScalaJson(settings.sqlMaxRows, settings.outputBytes)
    if (name == "json") "application/json" -> json.of(value)
    else TableMagic.Mime -> TableMagic.of(json.of(value))
  }

  private def bounded(shown: (String, JsonNode)): Either[Result.Failed, (String, JsonNode)] =
    if (Json.fits(shown._2, settings.outputBytes)) Right(shown) else Left(Result.tooLarge(settings.outputBytes))

  // Rendering runs user code: toString, iterators, Spark jobs.
  private def guarded[A](body: => A): Either[Result.Failed, A] =
    try Right(stoppable.run(body))
    catch {
      case mixed: TableMagic.TypesDoNotMatch => Left(Result.Failed("TypeError", mixed.getMessage, Nil))
      case deep: ScalaJson.TooDeep => Left(Result.Failed("Error", deep.getMessage, Nil))
      case _: ScalaJson.TooLong => Left(Result.tooLarge(settings.outputBytes))
      case error: Throwable if stoppable.isAsked => Left(Cancellation.stopped(StackTraces.lines(error)))
      case error: Throwable => Left(failure(StackTraces.lines(error)))
    }

  private def failure(lines: Seq[String]): Result.Failed =
    Result.Failed("Error", lines.headOption.getOrElse("").trim, lines.drop(1))
}

object ScalaMagics {

  private val Known = Set("json", "table")

  private def missing(name: String): Result.Failed = Result.Failed("NameError", s"Value $name does not exist", Nil)

  private def isUnknownName(expression: String, problems: Seq[Repl.Problem]): Boolean =
    problems.headOption.exists(_.message.startsWith(s"not found: value $expression"))
}

/** The value that a magic without an argument shows. It outlives the statement that made it. */
final class LastValue {

  private var value: () => Option[Any] = () => None

  def remember(made: () => Option[Any]): Unit = value = made

  def get: Option[Any] = value()
}
