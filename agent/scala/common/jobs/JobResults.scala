package livius.agent

import java.util.Base64

/** A job's result on its way to the server. */
object JobResults {

  /** A longer result is sent in pieces. */
  val WholeBytes: Int = 48 * 1024

  /** The most that an error's text may have. */
  val ErrorBytes: Int = 64 * 1024

  def text(bytes: Array[Byte]): String = Base64.getEncoder.encodeToString(bytes)

  /** The texts of a long result. All but the last piece have a multiple of three bytes, so that the
    * texts may be joined.
    */
  def pieces(bytes: Array[Byte]): Iterator[String] =
    Iterator.range(0, bytes.length, PieceBytes).map { from =>
      text(java.util.Arrays.copyOfRange(bytes, from, math.min(from + PieceBytes, bytes.length)))
    }

  private val PieceBytes = 192 * 1024
}
