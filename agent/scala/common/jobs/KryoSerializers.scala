package livius.agent

import java.lang.reflect.Modifier

import scala.util.Try

import com.esotericsoftware.kryo.{Kryo, Serializer}
import com.esotericsoftware.kryo.io.{Input, Output}
import com.esotericsoftware.kryo.serializers.FieldSerializer
import org.objenesis.strategy.StdInstantiatorStrategy

/** An array of texts as in Kryo 2: none of them refers to an earlier one. */
private[agent] final class PlainTexts extends Serializer[Array[String]] {
  setAcceptsNull(true)

  override def write(kryo: Kryo, output: Output, texts: Array[String]): Unit =
    if (texts == null) output.writeVarInt(0, true): Unit
    else {
      output.writeVarInt(texts.length + 1, true)
      texts.foreach(text => output.writeString(text))
    }

  override def read(kryo: Kryo, input: Input, kind: Class[Array[String]]): Array[String] = {
    val count = input.readVarInt(true) - 1
    if (count < 0) null else Array.fill(count)(input.readString())
  }
}

/** A Scala `object`, written as Kryo does, and read as the existing object. Kryo would make a
  * second one: a list would not end, and in Scala 2.12 the constructor would replace the first
  * object for all code of this JVM.
  */
private[agent] final class ScalaObjects(kryo: Kryo, kind: Class[_], theOne: AnyRef) extends Serializer[AnyRef] {

  private val fields = new FieldSerializer[AnyRef](kryo, kind)

  override def write(kryo: Kryo, output: Output, value: AnyRef): Unit = fields.write(kryo, output, value)

  override def read(kryo: Kryo, input: Input, kind: Class[AnyRef]): AnyRef = {
    kryo.reference(theOne)
    // A throw-away instance takes the fields of the client's object. It is made without its
    // constructor.
    val husk = new StdInstantiatorStrategy().newInstantiatorOf(kind).newInstance()
    fields.getFields.foreach(_.read(input, husk))
    theOne
  }
}

private[agent] object ScalaObjects {

  /** The object that belongs to an object's class. */
  def of(kind: Class[_]): Option[AnyRef] =
    if (!kind.getName.endsWith("$")) None
    else Try(kind.getField("MODULE$")).toOption
      .filter(field => Modifier.isStatic(field.getModifiers) && field.getType == kind)
      .map { field =>
        field.setAccessible(true)
        field.get(null)
      }
}
