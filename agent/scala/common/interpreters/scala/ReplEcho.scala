package scala.tools.nsc.interpreter.livius

import scala.runtime.{BoxedUnit, ScalaRunTime}
import scala.tools.nsc.interpreter.IMain

import _root_.livius.agent.{Attempt, Repl}

/** Runs a line that is compiled, and makes the text that shows its values.
  *
  * The REPL compiles a second object for that. It takes nearly as long as the line itself. The code
  * of that object only joins texts and values, so this trait reads the code and takes the values by
  * reflection. It compiles the object only when that is not possible.
  */
trait ReplEcho { interpreter: IMain with ReplParts =>

  import ReplEcho._
  import global._

  /** Runs the line. Its positions in the user's text are told by `frame`. */
  protected def runCompiled(request: Request, hidden: Boolean)(frame: StackTraceElement => StackTraceElement)(
      shown: String => String): Repl.Ran = {
    learn(request)
    program(request, hidden) match {
      case None => Repl.Rejected(problems.taken)
      case Some(program) =>
        evaluate(program.run(), frame).fold(identity, { text =>
          recordRequest(request)
          Repl.Done(shown(text), program.value)
        })
    }
  }

  /** Makes the compiler's findings known to the lines after this one. */
  private def learn(request: Request): Unit = {
    request.typeOf.size
    request.typesOfDefinedTerms.size
    for (handler <- request.defHandlers; symbol <- request.definedSymbols.get(handler.member.name))
      handler.member.setSymbol(symbol)
  }

  private def program(request: Request, hidden: Boolean): Option[Program] =
    if (needsCompiler(request)) compiled(request, hidden)
    else parts(request, hidden).map(read(request, _)).orElse(compiled(request, hidden))

  /** Reflection does not see the values of value classes, which are without their boxes. The line
    * that defines such a class has another shape, too.
    */
  private def needsCompiler(request: Request): Boolean =
    request.definesValueClass || request.typesOfDefinedTerms.values.exists { known =>
      exitingTyper(known.finalResultType.dealiasWiden.typeSymbol.isDerivedValueClass)
    }

  private def read(request: Request, parts: Seq[Part]): Program = {
    val place = path(request.fullAccessPath).getOrElse(Nil)
    val last = Option(request.value).filter(_ != NoSymbol).map(symbol => path(originalPath(symbol)).getOrElse(Nil))
    new Program(
      run = () => {
        valueAt(place, classLoader)
        parts.map(_.text(classLoader)).mkString
      },
      // As the REPL does: a line without a value has the value null.
      value = () => last.fold[Option[Any]](Some(null))(at => Attempt(valueAt(at, classLoader)).toOption))
  }

  private def parts(request: Request, hidden: Boolean): Option[Seq[Part]] =
    if (hidden) Some(Nil)
    else request.handlers.map(_.resultExtractionCode(request)).filterNot(_.trim.isEmpty)
      .foldLeft(Option(Seq.empty[Part]))((before, code) => before.flatMap(done => parsed(s"$Empty $code").flatMap(parts).map(done ++ _)))

  private def parts(tree: Tree): Option[Seq[Part]] = tree match {
    case Literal(Constant(text: String)) => Some(Seq(Fixed(text)))
    case Apply(Select(left, Plus), List(right)) => for (first <- parts(left); second <- parts(right)) yield first ++ second
    case Apply(Select(_, TermName("replStringOf")), List(value, Literal(Constant(limit: Int)))) =>
      path(value).map(at => Seq(Value(at, Some(limit))))
    case value => path(value).map(at => Seq(Value(at, None)))
  }

  private lazy val Plus = TermName("$plus")

  private def path(code: String): Option[List[String]] = parsed(code).flatMap(path)

  private def path(tree: Tree): Option[List[String]] = tree match {
    case Ident(name) => Some(List(name.encoded))
    case Select(of, name) => path(of).map(_ :+ name.encoded)
    case _ => None
  }

  private def parsed(code: String): Option[Tree] = newUnitParser(code).parseStats() match {
    case List(tree) => Some(tree)
    case _ => None
  }

  /** The REPL's way. */
  private def compiled(request: Request, hidden: Boolean): Option[Program] = {
    val line = request.lineRep
    if (!line.compile(extraction(request, hidden))) None
    else Some(new Program(
      run = () => String.valueOf(line.call(line.printName)),
      value = () => line.evalEither.fold(_ => None, Some(_))))
  }

  private def extraction(request: Request, hidden: Boolean): String = {
    val line = request.lineRep
    val result = Option(request.value).filter(_ != NoSymbol).map(symbol => s"lazy val ${line.resultName} = ${originalPath(symbol)}")
    val shown = if (hidden) Nil else request.handlers.map(handler => s"text.append($Empty ${handler.resultExtractionCode(request)})")
    val body = Seq(request.fullAccessPath, "val text = new _root_.scala.StringBuilder") ++ shown ++ Seq("text.toString")
    (Seq(s"object ${line.evalName} {") ++ result ++ Seq(s"lazy val ${line.printName}: _root_.java.lang.String = {") ++
      body ++ Seq("}", "}")).mkString("\n")
  }
}

private object ReplEcho {

  /** The empty text, as code. */
  val Empty = "\"\""

  /** How a compiled line is run, and the value of its last expression or definition. */
  final class Program(val run: () => String, val value: () => Option[Any])

  /** A part of an echo. */
  sealed trait Part {
    def text(loader: ClassLoader): String
  }

  final case class Fixed(text: String) extends Part {
    override def text(loader: ClassLoader): String = text
  }

  /** The value at a path. With a limit it is shown as the REPL shows values. */
  final case class Value(path: List[String], limit: Option[Int]) extends Part {
    override def text(loader: ClassLoader): String = {
      val value = valueAt(path, loader)
      limit.fold(String.valueOf(value))(ScalaRunTime.replStringOf(value, _))
    }
  }

  /** Follows a path that begins with the package of a line and the object in it. The first to do so
    * runs the line.
    */
  def valueAt(path: List[String], loader: ClassLoader): Any = path match {
    case line :: outermost :: members =>
      val module = Class.forName(s"$line.$outermost$$", true, loader).getField("MODULE$").get(null)
      members.foldLeft(module)(member)
    case _ => throw new IllegalArgumentException(path.mkString("."))
  }

  private def member(of: AnyRef, name: String): AnyRef = {
    val accessor = of.getClass.getMethod(name)
    val value = accessor.invoke(of)
    if (accessor.getReturnType == Void.TYPE) BoxedUnit.UNIT else value
  }
}
