package livius.agent

import java.lang.reflect.Modifier

import scala.reflect.NameTransformer

import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.{Dataset, Row}

/** Any Scala value as JSON, for `%json` and `%table`. A value without a JSON form becomes its text.
  */
final class ScalaJson(mostRows: Int) {

  import ScalaJson._

  def of(value: Any): JsonNode = of(value, depth = 0)

  private def of(value: Any, depth: Int): JsonNode = {
    // Values may be endless or slow: this is a loop over user code like any other.
    Interrupts.check()
    if (depth > Deepest) Json.text(String.valueOf(value)) else scalar(value).getOrElse(composed(value, depth + 1))
  }

  private def scalar(value: Any): Option[JsonNode] = Option(value match {
    case null | None => Json.nodes.nullNode()
    case v: Boolean => Json.nodes.booleanNode(v)
    case v: String => Json.text(v)
    case v: Byte => Json.nodes.numberNode(v.toInt)
    case v: Short => Json.nodes.numberNode(v.toInt)
    case v: Int => Json.nodes.numberNode(v)
    case v: Long => Json.nodes.numberNode(v)
    case v: Float => Json.number(v)
    case v: Double => Json.number(v)
    case v: BigInt => Json.nodes.numberNode(v.bigInteger)
    case v: java.math.BigInteger => Json.nodes.numberNode(v)
    case v: BigDecimal => Json.nodes.numberNode(v.bigDecimal)
    case v: java.math.BigDecimal => Json.nodes.numberNode(v)
    case _: Unit => Json.obj()
    case v: JsonNode => v
    case _ => null
  })

  private def composed(value: Any, depth: Int): JsonNode = value match {
    case Some(inner) => of(inner, depth)
    case rdd: RDD[_] => of(rdd.take(FirstOfRdd).toSeq, depth)
    case data: Dataset[_] => of(data.toDF().take(mostRows).toSeq, depth)
    case row: Row => ofRow(row, depth)
    case map: scala.collection.Map[_, _] => fields(map.iterator.map { case (key, item) => String.valueOf(key) -> item }, depth)
    case map: java.util.Map[_, _] =>
      fields(Javas.list(map.entrySet).iterator.map(entry => String.valueOf(entry.getKey) -> entry.getValue), depth)
    case items: Array[_] => elements(items.iterator, depth)
    case items: Iterable[_] => elements(items.iterator, depth)
    case items: Iterator[_] => elements(items, depth)
    case items: java.lang.Iterable[_] => elements(Javas.list(items).iterator, depth)
    case product: Product => fields(members(product), depth)
    case other => Json.text(other.toString)
  }

  private def ofRow(row: Row, depth: Int): JsonNode =
    if (row.schema == null) elements(row.toSeq.iterator, depth)
    else fields(row.schema.fieldNames.iterator.zip(row.toSeq.iterator), depth)

  private def fields(entries: Iterator[(String, Any)], depth: Int): JsonNode = {
    val made = Json.obj()
    entries.foreach { case (name, item) => made.replace(name, of(item, depth)) }
    made
  }

  private def elements(items: Iterator[Any], depth: Int): JsonNode = {
    val made = Json.arr()
    items.foreach(item => made.add(of(item, depth)))
    made
  }

  /** The members of a case class with their names. Scala 2.12 offers no names, but the members are
    * the first fields.
    */
  private def members(product: Product): Iterator[(String, Any)] = {
    val fields = product.getClass.getDeclaredFields.iterator
      .filterNot(f => f.isSynthetic || Modifier.isStatic(f.getModifiers))
      .map(f => NameTransformer.decode(f.getName))
      .filterNot(_.contains("$"))
    val names = if (isTuple(product)) Iterator.empty else fields
    product.productIterator.zipWithIndex.map { case (item, index) =>
      (if (names.hasNext) names.next() else s"_${index + 1}") -> item
    }
  }

  // The primitive versions of a tuple name their fields in their own way.
  private def isTuple(product: Product): Boolean = product.getClass.getName.startsWith("scala.Tuple")
}

object ScalaJson {
  /** Livy's number. */
  private val FirstOfRdd = 10
  private val Deepest = 100
}
