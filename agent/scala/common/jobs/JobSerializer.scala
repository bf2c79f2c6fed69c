package livius.agent

import java.io.ByteArrayOutputStream
import java.lang.invoke.SerializedLambda

import com.esotericsoftware.kryo.{Kryo, KryoException, Serializer}
import com.esotericsoftware.kryo.io.{Input, Output}
import com.esotericsoftware.kryo.serializers.ClosureSerializer
import org.objenesis.strategy.StdInstantiatorStrategy

/** Jobs and their results as Livy's clients write and read them: by Kryo, set up in the same way.
  *
  * There are two dialects, and nothing in a job's bytes names its dialect. Most bytes mean the same
  * in both; else one of them fails, and the session's client is assumed to speak the other.
  */
final class JobSerializer {

  import JobSerializer._

  @volatile private var usual: Dialect = Newer

  /** The object, and the dialect that it was written in. */
  def read(bytes: Array[Byte], loader: ClassLoader): (Any, Dialect) = {
    val first = usual
    val second = if (first == Newer) Older else Newer
    attempt(bytes, loader, first) match {
      case Right(value) => (value, first)
      case Left(failure) => attempt(bytes, loader, second) match {
        case Right(value) =>
          usual = second
          (value, second)
        case Left(other) => throw joined(failure, other)
      }
    }
  }

  private def attempt(bytes: Array[Byte], loader: ClassLoader, dialect: Dialect): Either[Throwable, Any] =
    try {
      val input = new Input(bytes)
      val value = kryo(loader, dialect).readClassAndObject(input)
      if (input.eof) Right(value) else Left(new KryoException(s"${bytes.length - input.position} bytes follow the job"))
    } catch {
      // Reading the wrong dialect can give anything, even an array of two billion elements.
      case error @ (_: Exception | _: LinkageError | _: VirtualMachineError) => Left(error)
    }

  private def joined(failure: Throwable, other: Throwable): Throwable = {
    if (other.getMessage != failure.getMessage) failure.addSuppressed(other)
    failure
  }

  /** Throws [[ResultTooLong]] if the bytes would exceed the limit. */
  def write(value: Any, loader: ClassLoader, dialect: Dialect, most: Int): Array[Byte] = {
    val bytes = new BoundedBytes(most)
    val output = new Output(bytes)
    kryo(loader, dialect).writeClassAndObject(output, value)
    output.flush()
    bytes.toByteArray
  }

  private def kryo(loader: ClassLoader, dialect: Dialect): Kryo = {
    val made = new DialectKryo(dialect)
    made.setInstantiatorStrategy(new Kryo.DefaultInstantiatorStrategy(new StdInstantiatorStrategy))
    // The numbers that these two get are part of the format.
    made.register(classOf[SerializedLambda])
    made.register(classOf[ClosureSerializer.Closure], new ClosureSerializer)
    made.setClassLoader(loader)
    made
  }
}

object JobSerializer {

  sealed trait Dialect

  /** The dialect of Livy's clients since 0.8, which have Kryo 4. */
  case object Newer extends Dialect

  /** The dialect of older clients, which have Kryo 2: fields of a generic type do not name the
    * classes of their values.
    */
  case object Older extends Dialect

  private final class DialectKryo(dialect: Dialect) extends Kryo {
    getFieldSerializerConfig.setOptimizedGenerics(dialect == Older)

    override def getDefaultSerializer(kind: Class[_]): Serializer[_] =
      if (dialect == Older && kind == classOf[Array[String]]) new PlainTexts
      else ScalaObjects.of(kind).fold[Serializer[_]](super.getDefaultSerializer(kind))(new ScalaObjects(this, kind, _))
  }

  private final class BoundedBytes(most: Int) extends ByteArrayOutputStream {
    override def write(bytes: Array[Byte], from: Int, length: Int): Unit = {
      if (length > most - count) throw new ResultTooLong(most)
      super.write(bytes, from, length)
    }
  }
}

/** A job's result is longer than the limit. */
final class ResultTooLong(most: Int) extends RuntimeException(
  s"the job's result has more than $most bytes: return less, or write it to a file and return its name")
