package livius.agent

import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.types.{ArrayType, DataType, MapType, StringType, StructType}

/** The kind `sql`: one SQL statement, answered with its schema and its first rows. */
final class SqlInterpreter(session: SparkSession, settings: Settings) extends Interpreter {

  override val kind = "sql"

  private val stoppable = new StoppableThread
  @volatile private var open = false
  @volatile private var asked = false

  override def alive: Boolean = open

  override def start(): Unit = open = true

  override def close(): Unit = open = false

  override def execute(statement: Int, code: String): Result = {
    stoppable.begin()
    asked = false
    try {
      val (table, wasCut) = stoppable.run(answer(code))
      if (wasCut) logCut(statement)
      Result.Ok(Seq("application/json" -> table))
    } catch {
      case error: Throwable if stoppable.isAsked || asked => Cancellation.stopped(StackTraces.lines(error))
      case error: Throwable => Result.Failed("Error", StackTraces.message(error), StackTraces.lines(error))
    }
  }

  private def answer(code: String): (JsonNode, Boolean) = {
    val found = session.sql(code)
    // One row more than is shown, to know whether there are more.
    val rows = SqlIntervals.asText(found).take(settings.sqlMaxRows + 1)
    val values = new SqlJson(session.conf.get("spark.sql.session.timeZone"))
    val table = Json.obj()
    table.replace("schema", Json.parse(found.schema.json))
    table.replace("data", Json.arr(rows.take(settings.sqlMaxRows).map(values.row).toSeq))
    (table, rows.length > settings.sqlMaxRows)
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

  override def complete(code: String, cursor: Int): Seq[String] = new SqlCompletion(session).candidates(code, cursor)
}

/** Intervals as Spark writes them: their Scala values do not keep the declared units. */
object SqlIntervals {

  def asText(data: DataFrame): DataFrame = {
    val types = data.schema.fields.toSeq.map(_.dataType)
    if (types.forall(known => shown(known) == known)) data
    else {
      // By position, because a name may occur twice.
      val positions = data.toDF(types.indices.map(index => s"c$index"): _*)
      positions.select(types.zipWithIndex.map { case (known, index) =>
        val column = positions.col(s"c$index")
        if (shown(known) == known) column else column.cast(shown(known))
      }: _*)
    }
  }

  /** The type with text in the place of each interval. */
  private def shown(known: DataType): DataType = known match {
    case array: ArrayType => array.copy(elementType = shown(array.elementType))
    case map: MapType => map.copy(keyType = shown(map.keyType), valueType = shown(map.valueType))
    case struct: StructType => StructType(struct.fields.map(field => field.copy(dataType = shown(field.dataType))))
    case interval if interval.catalogString.startsWith("interval") => StringType
    case other => other
  }
}
