package livius.agent

import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.sql.{DataFrame, Row, SparkSession}
import org.apache.spark.sql.internal.SQLConf

/** The kind `sql`: one SQL statement, answered with its schema and its first rows. */
final class SqlInterpreter(shared: () => SparkSession, settings: Settings) extends Interpreter {

  override val kind = "sql"

  private val stoppable = new StoppableThread
  @volatile private var open = false
  @volatile private var asked = false

  override def alive: Boolean = open

  override def start(): Unit = open = true

  override def close(): Unit = open = false

  override def execute(statement: Int, code: String, live: LiveStreams): Result = {
    stoppable.begin()
    asked = false
    try {
      val (table, wasCut) = stoppable.run(answer(code))
      if (wasCut) logCut(statement)
      Result.shown("application/json", table, settings.outputBytes)
    } catch {
      case error: Throwable if stoppable.isAsked || asked => Cancellation.stopped(StackTraces.lines(error))
      case error: Throwable => Result.Failed("Error", StackTraces.message(error), StackTraces.lines(error))
    }
  }

  override def rehearse(code: String): Unit = {
    stoppable.begin()
    asked = false
    val (table, _) = stoppable.run(answer(code))
    Result.shown("application/json", table, settings.outputBytes): Unit
  }

  private def answer(code: String): (JsonNode, Boolean) = {
    val session = shared()
    SparkSession.setActiveSession(session)
    val found = session.sql(code)
    val rows = firstRows(found)
    val values = new SqlJson(session.conf.get("spark.sql.session.timeZone"))
    val table = Json.obj()
    table.replace("schema", Json.parse(found.schema.json))
    table.replace("data", Json.arr(rows.take(settings.sqlMaxRows).map(values.row)))
    (table, rows.length > settings.sqlMaxRows)
  }

  // The older classes for times count in another calendar, and know less than all of Spark's times.
  // The session's setting stays as it is: other code reads it at the same time.
  private def firstRows(found: DataFrame): Seq[Row] = {
    val newer = SQLConf.get.clone()
    newer.setConfString("spark.sql.datetime.java8API.enabled", "true")
    SQLConf.withExistingConf(newer) {
      // One row more than is shown, to know whether there are more.
      ColumnsAsText(found.toDF(), ColumnsAsText.isDateOrInterval).take(settings.sqlMaxRows + 1).toSeq
    }
  }

  private def logCut(statement: Int): Unit =
    Log.line(s"statement $statement: result cut at ${settings.sqlMaxRows} rows; raise conf livy.rsc.sql.num-rows")

  // The jobs of the statement are being cancelled: that ends a query in good order, with all
  // threads that work for it. Only a query that has no job is left to be interrupted when asked
  // again.
  override def interrupt(): Unit = if (asked) stoppable.interrupt() else asked = true

  // All of it is Spark's code, which must not be stopped by force. It ends by itself when its jobs
  // have ended.
  override def kill(): Boolean = false

  override def complete(code: String, cursor: Int): Seq[String] = new SqlCompletion(shared()).candidates(code, cursor)
}
