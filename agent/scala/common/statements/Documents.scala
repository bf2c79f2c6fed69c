package livius.agent

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode

/** A statement's output document, in Livy's form. */
object Documents {

  def of(statement: Int, result: Result): String = Json.write(result match {
    case Result.Ok(data) => ok(statement, data)
    case failed: Result.Failed => error(statement, failed)
  })

  private def ok(statement: Int, data: Seq[(String, JsonNode)]): ObjectNode = {
    val document = head(statement, "ok")
    val values = document.putObject("data")
    data.foreach { case (mime, value) => values.replace(mime, value) }
    document
  }

  private def error(statement: Int, failed: Result.Failed): ObjectNode = {
    val document = head(statement, "error")
    // Clients join these texts unchecked, so none of them may be null.
    document.put("ename", String.valueOf(failed.ename)).put("evalue", String.valueOf(failed.evalue))
    val lines = document.putArray("traceback")
    failed.traceback.foreach(line => lines.add(line))
    document
  }

  private def head(statement: Int, status: String): ObjectNode =
    Json.obj().put("status", status).put("execution_count", statement)

  /** Cuts a document into pieces of at most 240 KiB of UTF-8, never through a code point. */
  def pieces(document: String): Iterator[String] = new Iterator[String] {
    private var from = 0

    def hasNext: Boolean = from < document.length

    def next(): String = {
      val cut = math.min(from + PieceChars, document.length)
      val until = if (cut < document.length && Character.isHighSurrogate(document.charAt(cut - 1))) cut - 1 else cut
      val piece = document.substring(from, until)
      from = until
      piece
    }
  }

  /** A longer document is sent in pieces. */
  val WholeChars: Int = 64 * 1024 / 3

  // No UTF-16 unit takes more than three bytes of UTF-8.
  private val PieceChars = 80 * 1024
}
