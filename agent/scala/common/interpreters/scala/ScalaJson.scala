package livius.agent

import scala.util.control.NoStackTrace

import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.{Dataset, Row}

/** Any Scala value as JSON, for `%json` and `%table`. A value without a JSON form becomes its text.
  */
final class ScalaJson(mostRows: Int, mostBytes: Int) {

  import ScalaJson._

  private val names = new MemberNames
  private var spent = 0L

  def of(value: Any): JsonNode = of(value, depth = 0)

  private def of(value: Any, depth: Int): JsonNode = {
    // Values may be endless or slow: this is a loop over user code like any other.
    Interrupts.check()
    spend(LeastBytes)
    scalar(value).getOrElse {
      if (depth > Deepest) throw new TooDeep
      composed(value, depth + 1)
    }
  }

  private def scalar(value: Any): Option[JsonNode] = Option(value match {
    case null | None => Json.nodes.nullNode()
    case v: Boolean => Json.nodes.booleanNode(v)
    case v: String => text(v)
    case v: Byte => Json.nodes.numberNode(v.toInt)
    case v: Short => Json.nodes.numberNode(v.toInt)
    case v: Int => Json.nodes.numberNode(v)
    case v: Long => Json.nodes.numberNode(v)
    case v: Float => Json.number(v)
    case v: Double => Json.number(v)
    case v: BigInt => integer(v.bigInteger)
    case v: java.math.BigInteger => integer(v)
    case v: BigDecimal => decimal(v.bigDecimal)
    case v: java.math.BigDecimal => decimal(v)
    case v: java.sql.Date => Json.text(OldTimes.text(v))
    case v: java.sql.Timestamp => Json.text(OldTimes.text(v))
    case _: Unit => Json.obj()
    case v: JsonNode => v
    case _ => null
  })

  private def integer(value: java.math.BigInteger): JsonNode =
    if (value.bitLength <= MostBits) Json.nodes.numberNode(value) else text(value.toString)

  private def decimal(value: java.math.BigDecimal): JsonNode =
    if (value.unscaledValue.bitLength <= MostBits && math.abs(value.scale) <= MostScale) Json.nodes.numberNode(value)
    else text(value.toString)

  private def text(value: String): JsonNode = {
    if (value != null) spend(value.length)
    Json.text(value)
  }

  private def spend(bytes: Int): Unit = {
    spent += bytes
    if (spent > mostBytes) throw new TooLong
  }

  private def composed(value: Any, depth: Int): JsonNode = value match {
    case Some(inner) => of(inner, depth)
    case rdd: RDD[_] => of(rdd.take(FirstOfRdd).toSeq, depth)
    case data: Dataset[_] => of(ColumnsAsText(data.toDF(), ColumnsAsText.isTimeOrInterval).take(mostRows).toSeq, depth)
    case row: Row => ofRow(row, depth)
    case map: scala.collection.Map[_, _] => fields(map.toSeq.map { case (key, item) => name(key) -> item }, depth)
    case map: java.util.Map[_, _] =>
      fields(Javas.list(map.entrySet).map(entry => name(entry.getKey) -> entry.getValue), depth)
    case items: Array[_] => elements(items.iterator, depth)
    case items: Iterable[_] => elements(items.iterator, depth)
    case items: Iterator[_] => elements(items, depth)
    // A path is a list of paths without end.
    case path: java.nio.file.Path => Json.text(path.toString)
    case items: java.lang.Iterable[_] => elements(Javas.list(items).iterator, depth)
    case product: Product => fields(names.of(product).zip(product.productIterator.toSeq), depth)
    case other => text(other.toString)
  }

  private def name(key: Any): String = String.valueOf(String.valueOf(key))

  private def ofRow(row: Row, depth: Int): JsonNode =
    if (row.schema == null) elements(row.toSeq.iterator, depth)
    else fields(row.schema.fieldNames.toSeq.zip(row.toSeq), depth)

  private def fields(entries: Seq[(String, Any)], depth: Int): JsonNode =
    Json.fields(entries.map { case (name, item) => name -> of(item, depth) })

  private def elements(items: Iterator[Any], depth: Int): JsonNode = {
    val made = Json.arr()
    items.foreach(item => made.add(of(item, depth)))
    made
  }
}

object ScalaJson {
  /** Livy's number. */
  private val FirstOfRdd = 10
  private val Deepest = 100
  // A value of one digit and its comma are shorter, but take more memory until they are written.
  private val LeastBytes = 4
  // Readers of JSON have limits of their own. A longer number is a text.
  private val MostBits = 3300 // about 990 digits
  private val MostScale = 990

  final class TooDeep extends Exception(s"the value has more than $Deepest levels, or contains itself") with NoStackTrace

  final class TooLong extends Exception with NoStackTrace
}
