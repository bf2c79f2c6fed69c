package livius.agent

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.types.{ArrayType, DataType, DateType, MapType, StringType, StructType}

/** Values of some types as the texts that Spark makes of them: their Scala values do not say all that
  * they mean.
  */
object ColumnsAsText {

  def apply(data: DataFrame, isText: DataType => Boolean): DataFrame = {
    val types = data.schema.fields.toSeq.map(_.dataType)
    val shown = types.map(known => cast(known, isText))
    if (shown == types) data
    else {
      // By position, because a name may occur twice.
      val positions = data.toDF(types.indices.map(index => s"c$index"): _*)
      positions.select(types.zip(shown).zipWithIndex.map { case ((known, text), index) =>
        val column = positions.col(s"c$index")
        if (text == known) column else column.cast(text)
      }: _*).toDF(data.schema.fieldNames.toSeq: _*)
    }
  }

  /** The Scala values of intervals do not keep the declared units. */
  private def isInterval(known: DataType): Boolean = known.catalogString.startsWith("interval")

  /** Those of dates count in another calendar. */
  def isDateOrInterval(known: DataType): Boolean = known == DateType || isInterval(known)

  /** Those of times do too, or show themselves in UTC. */
  def isTimeOrInterval(known: DataType): Boolean = isDateOrInterval(known) || known.catalogString.startsWith("timestamp")

  /** The type with text in the place of each such type. */
  private def cast(known: DataType, isText: DataType => Boolean): DataType = known match {
    case array: ArrayType => array.copy(elementType = cast(array.elementType, isText))
    case map: MapType => map.copy(keyType = cast(map.keyType, isText), valueType = cast(map.valueType, isText))
    case struct: StructType => StructType(struct.fields.map(field => field.copy(dataType = cast(field.dataType, isText))))
    case text if isText(text) => StringType
    case other => other
  }
}
