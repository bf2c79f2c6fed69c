package livius.agent

/** A statement's code, cut into Scala text and magic lines. */
object ScalaCell {

  sealed trait Part
  /** `firstLine` counts from 1. */
  final case class Code(text: String, firstLine: Int) extends Part
  final case class Magic(name: String, argument: String) extends Part

  /** As in Python: any space may come before and after the name. */
  private val MagicLine = """(?U)%\s*(\S*)(?:\s+(.*?))?\s*""".r

  /** `isWhole` tells whether text may end where it ends: a line that looks like a magic inside a
    * long string is not one.
    */
  def split(code: String, isWhole: String => Boolean): Seq[Part] = {
    val parts = Seq.newBuilder[Part]
    var pending = Vector.empty[String]
    var firstLine = 1
    def flush(): Unit = if (pending.exists(_.trim.nonEmpty)) parts += Code(pending.mkString("\n"), firstLine)
    for ((line, index) <- code.split("\n", -1).zipWithIndex) line match {
      case MagicLine(name, argument) if isWhole(pending.mkString("\n")) =>
        flush()
        parts += Magic(name, Option(argument).getOrElse(""))
        pending = Vector.empty
        firstLine = index + 2
      case _ => pending :+= line
    }
    flush()
    parts.result()
  }

  /** Groups neighbouring pieces that are to be compiled together: a class with its companion,
    * methods that call each other. A piece that runs code stands alone, so that echoes and printed
    * text keep their order and an error keeps the earlier pieces.
    */
  def groups(pieces: Seq[Repl.Piece]): Seq[Repl.Piece] =
    pieces.foldLeft(Vector.empty[Repl.Piece]) { (done, piece) =>
      done.lastOption match {
        case Some(last) if last.sort == piece.sort && piece.sort != Repl.Execution => done.init :+ last.copy(until = piece.until)
        case _ => done :+ piece
      }
    }
}
