// A program with Livy's Java client, unchanged, and the jobs that it submits. Arguments: the server, the jar with these classes,
// a folder of files, and another jar for the session to add. The program has nothing of Spark on its class path, as a client has not.

package livius.tests

import java.io.{File, Serializable}
import java.lang.invoke.SerializedLambda
import java.net.URI
import java.nio.ByteBuffer
import java.nio.file.Files
import java.util
import java.util.concurrent.{CancellationException, ExecutionException, Future, LinkedBlockingQueue, TimeUnit}

import scala.collection.mutable
import scala.io.Source

import com.esotericsoftware.kryo.Kryo
import com.esotericsoftware.kryo.io.Output
import com.esotericsoftware.kryo.serializers.ClosureSerializer
import org.apache.livy.{Job, JobContext, JobHandle, LivyClient, LivyClientBuilder}
import org.apache.livy.client.common.Serializer
import org.apache.spark.SparkFiles
import org.apache.spark.sql.SparkSession
import org.objenesis.strategy.StdInstantiatorStrategy

/** Answers what it was given. */
class Echo(value: Serializable) extends Job[Serializable] {
  override def call(context: JobContext): Serializable = value
}

/** Computes on the executors, with code of this very jar. */
class Squares(count: Int) extends Job[java.lang.Long] {
  override def call(context: JobContext): java.lang.Long =
    context.sc.sc.parallelize(1 to count, 2).map(Squares.square).reduce(_ + _)
}

object Squares {
  def square(number: Int): Long = number.toLong * number
}

/** Runs SQL in the session that statements have, too. */
class Rows(query: String) extends Job[util.ArrayList[String]] {
  override def call(context: JobContext): util.ArrayList[String] = {
    val rows = context.sparkSession[SparkSession]().sql(query).collect()
    new util.ArrayList(util.Arrays.asList(rows.map(_.mkString(",")): _*))
  }
}

/** The older ways to SQL. */
class OlderContexts extends Job[String] {
  override def call(context: JobContext): String =
    context.sqlctx.sql("select 7").collect().map(_.getInt(0)).mkString + ", Hive: " + context.hivectx
}

/** Counts the rows of the first batch of a stream, in a context that is there for that long. */
class Stream(count: Int) extends Job[java.lang.Long] {
  override def call(context: JobContext): java.lang.Long = {
    context.createStreamingContext(50)
    val (streaming, counts) = (context.streamingctx, new LinkedBlockingQueue[java.lang.Long])
    val rows = context.sc.sc.parallelize(1 to count, 2)
    streaming.ssc.queueStream(mutable.Queue(rows)).foreachRDD(batch => counts.put(batch.count()))
    streaming.start()
    try counts.poll(60, TimeUnit.SECONDS)
    finally context.stopStreamingCtx()
  }
}

class StreamOfAnother extends Job[String] {
  override def call(context: JobContext): String = context.streamingctx.toString
}

class Fail(message: String) extends Job[String] {
  override def call(context: JobContext): String = throw new IllegalStateException(message)
}

/** Fails with an exception that fails itself when it is asked, or never comes to an end. */
class FailOddly(how: String) extends Job[String] {
  override def call(context: JobContext): String = how match {
    case "null" => throw new Exception(null: String)
    case "mute" => throw new Mute
    case "unending" => throw new Unending
    case "long" => throw new Exception("x" * 10000000)
    case "deep" => (1 to 5000).foldLeft(new Exception("innermost"))((cause, _) => new Exception(cause)) match { case all => throw all }
    case "overflow" => overflow(0).toString
  }

  private def overflow(depth: Int): Int = 1 + overflow(depth + 1)
}

class Mute extends Exception {
  override def getMessage: String = throw new Mute
  override def toString: String = throw this
}

class Unending extends Exception {
  override def getCause: Throwable = new Unending
}

/** Answers a list in a list in a list. */
class Nested(levels: Int) extends Job[Serializable] {
  override def call(context: JobContext): Serializable = Nested.list(levels)
}

object Nested {
  def list(levels: Int): util.ArrayList[Any] = (1 to levels).foldLeft(new util.ArrayList[Any])((inner, _) => {
    val outer = new util.ArrayList[Any]
    outer.add(inner)
    outer
  })
}

class LongText(length: Int) extends Job[String] {
  override def call(context: JobContext): String = "x" * length
}

/** Answers a list that fails while it is written. */
class Unwritable extends Job[Serializable] {
  override def call(context: JobContext): Serializable = new util.ArrayList[Any](util.Arrays.asList(1, 2)) {
    override def iterator: util.Iterator[Any] = throw new Mute
  }
}

class Nothing extends Job[String] {
  override def call(context: JobContext): String = null
}

class Keep(name: String, value: String) extends Job[java.lang.Boolean] {
  override def call(context: JobContext): java.lang.Boolean = {
    context.setSharedObject(name, value)
    true
  }
}

class Kept(name: String) extends Job[String] {
  override def call(context: JobContext): String = context.getSharedObject[String](name)
}

/** Waits for another job to keep something: for ever, if jobs ran one after the other. */
class Await(name: String) extends Job[String] {
  override def call(context: JobContext): String = {
    var found: String = null
    while (found == null) {
      try found = context.getSharedObject[String](name)
      catch { case _: util.NoSuchElementException => Thread.sleep(20) }
    }
    context.removeSharedObject[String](name)
  }
}

/** Runs until it is stopped, on an executor or beside them, and leaves word that it was. */
class Endless(name: String, asSparkJob: Boolean) extends Job[String] {
  override def call(context: JobContext): String = {
    context.setSharedObject(name, "runs")
    try {
      if (asSparkJob) context.sc.sc.parallelize(1 to 2, 2).foreach(_ => Thread.sleep(600000))
      else Thread.sleep(600000)
      "came to its end"
    } finally context.setSharedObject(name, "stopped")
  }
}

class ReadFile(name: String) extends Job[String] {
  override def call(context: JobContext): String = {
    val source = Source.fromFile(SparkFiles.get(name), "UTF-8")
    try source.mkString
    finally source.close()
  }
}

/** Loads a class that only an added jar has. */
class Load(name: String) extends Job[String] {
  override def call(context: JobContext): String =
    Class.forName(name, false, Thread.currentThread.getContextClassLoader).getSimpleName
}

class TemporaryFile extends Job[java.lang.Boolean] {
  override def call(context: JobContext): java.lang.Boolean =
    context.getLocalTmpDir.isDirectory && File.createTempFile("livius", ".txt", context.getLocalTmpDir).isFile
}

/** Keeps what a client hears of its job. */
class Heard extends JobHandle.Listener[Serializable] {
  private val words = new LinkedBlockingQueue[String]

  def last(): String = words.poll(60, TimeUnit.SECONDS)

  override def onJobQueued(job: JobHandle[Serializable]): Unit = ()
  override def onJobStarted(job: JobHandle[Serializable]): Unit = ()
  override def onJobCancelled(job: JobHandle[Serializable]): Unit = words.add("cancelled")
  override def onJobFailed(job: JobHandle[Serializable], cause: Throwable): Unit = words.add("failed")
  override def onJobSucceeded(job: JobHandle[Serializable], result: Serializable): Unit = words.add("succeeded " + result)
}

object JavaClient {
  def main(arguments: Array[String]): Unit = {
    val Array(server, jobs, folder, another) = arguments
    val file = new File(folder, "a file.txt")
    Files.write(file.toPath, "uploaded λ 🤔".getBytes("UTF-8"))
    val client = new LivyClientBuilder(false)
      .setURI(new URI(server))
      .setConf("spark.ui.enabled", "false")
      .setConf("spark.app.name", "java client")
      // Otherwise it asks less and less often, up to every five seconds.
      .setConf("livy.client.http.job.max-poll-interval", "500ms")
      .build()
    // Right away, while the session starts; what is asked for then waits its turn.
    val jar = client.uploadJar(new File(jobs))
    val session = tell("session", Sessions.of(client))
    await(jar)
    results(client)
    contexts(client)
    failures(client)
    texts(client)
    oddities(client)
    sharing(client)
    cancelling(client)
    files(client, file, another)
    client.stop(false)

    val again = new LivyClientBuilder(false).setURI(new URI(s"$server/sessions/$session")).build()
    equal(await(again.submit(new Kept("word"))), "kept")
    NewerClient.imitate(again)
    equal(await(Lambdas.computes(again, "λ", 3)), "λ30")
    val said = failed(Lambdas.fails(again, "in a lambda"))
    holds(said.contains("IllegalStateException: in a lambda"), said)
    if (arguments.length == 4) again.stop(true)
    println("Livy's Java client is content")
    // The client's threads are none of a program's business.
    System.exit(0)
  }

  private def results(client: LivyClient): Unit = {
    val list = new util.ArrayList[Serializable](util.Arrays.asList("λ 🤔", Integer.valueOf(5), null, Array[Byte](1, -1).toSeq.mkString))
    equal(await(client.submit(new Echo(list))), list)
    val long = "x" * 300000
    equal(await(client.submit(new Echo(long))), long)
    equal(await(client.run(new Echo(java.lang.Double.valueOf(0.5)))), 0.5)
    equal(await(client.submit(new Squares(100))), 338350L)
    equal(await(client.submit(new Rows("select id, 'λ' from range(2) order by id"))), util.Arrays.asList("0,λ", "1,λ"))
    equal(await(client.submit(new Nothing)), null)
    equal(await(client.submit(new TemporaryFile)), true)
    val heard = new Heard
    client.submit(new Echo("heard")).addListener(heard)
    equal(heard.last(), "succeeded heard")
  }

  private def contexts(client: LivyClient): Unit = {
    equal(await(client.submit(new OlderContexts)), "7, Hive: null")
    // The session goes on without the streaming context, and a job may make another one.
    for (count <- Seq(70, 80)) equal(await(client.submit(new Stream(count))), count.toLong)
    val refused = failed(client.submit(new StreamOfAnother))
    holds(refused.contains("createStreamingContext"), refused)
    equal(await(client.submit(new Squares(10))), 385L)
  }

  private def failures(client: LivyClient): Unit = {
    val failing = client.submit(new Fail("as asked λ"))
    holds(failed(failing).contains("as asked λ"), failed(failing))
    holds(failed(failing).contains("IllegalStateException"), failed(failing))
    equal(failing.getState, JobHandle.State.FAILED)
    val missing = failed(client.submit(new Kept("never kept")))
    holds(missing.contains("NoSuchElementException"), missing)
  }

  /** Every text comes back as it was sent. In an error's message a lone surrogate becomes U+FFFD. */
  private def texts(client: LivyClient): Unit = {
    val all = Texts.nasty
    equal(await(client.submit(new Echo(new util.ArrayList(util.Arrays.asList(all: _*))))), util.Arrays.asList(all: _*))
    val failing = all.map(text => text -> client.submit(new Fail(s"<$text>")))
    for ((text, job) <- failing) {
      val (said, wanted) = (failed(job), s"IllegalStateException: <${Texts.wellFormed(text)}>")
      holds(said.contains(wanted), s"$wanted is not in ${shown(said)}")
    }
    val long = 8000000
    equal(await(client.submit(new LongText(long))).length, long)
    val refused = failed(client.submit(new LongText(70000000)))
    holds(refused.contains("the job's result has more than"), refused)
  }

  /** No exception and no result can harm the session. */
  private def oddities(client: LivyClient): Unit = {
    val failing = Seq(
      "null" -> "java.lang.Exception", "mute" -> "Mute (its text could not be made", "unending" -> "Unending",
      "long" -> "... (cut) ...", "deep" -> "innermost", "overflow" -> "StackOverflowError")
    for ((how, words) <- failing) {
      val said = failed(client.submit(new FailOddly(how)))
      holds(said.contains(words) && said.length < 70000, s"$how: ${shown(said)}")
    }
    equal(await(client.submit(new Nested(50))), Nested.list(50))
    val deep = failed(client.submit(new Nested(100000)))
    holds(deep.contains("StackOverflowError"), shown(deep))
    val unwritable = failed(client.submit(new Unwritable))
    holds(unwritable.contains("Mute"), shown(unwritable))
    equal(await(client.submit(new Squares(10))), 385L)
  }

  private def sharing(client: LivyClient): Unit = {
    equal(await(client.submit(new Keep("word", "kept"))), true)
    equal(await(client.run(new Kept("word"))), "kept")
    val waiting = client.submit(new Await("baton"))
    await(client.submit(new Keep("baton", "passed")))
    equal(await(waiting), "passed")
  }

  private def cancelling(client: LivyClient): Unit =
    for ((name, asSparkJob) <- Seq("plain" -> false, "on executors" -> true)) {
      val endless = client.submit(new Endless(name, asSparkJob))
      until(client, name, "runs")
      holds(endless.cancel(true), "cancel says that it was too late")
      try holds(condition = false, "a cancelled job answered " + await(endless))
      catch { case _: CancellationException => () }
      equal(endless.getState, JobHandle.State.CANCELLED)
      until(client, name, "stopped")
    }

  private def files(client: LivyClient, file: File, another: String): Unit = {
    await(client.uploadFile(file))
    equal(await(client.submit(new ReadFile(file.getName))), "uploaded λ 🤔")
    val added = new File(file.getParentFile, "added.txt")
    Files.write(added.toPath, "added".getBytes("UTF-8"))
    await(client.addFile(added.toURI))
    equal(await(client.submit(new ReadFile("added.txt"))), "added")
    await(client.addJar(new File(another).toURI))
    equal(await(client.submit(new Load("org.apache.livy.shaded.apache.http.HttpHost"))), "HttpHost")
    val refused = failed(client.addFile(new URI("file:///nothing/there.txt")))
    holds(refused.nonEmpty, "adding a file that is not there")
  }

  /** Waits for what an endless job says of itself. */
  private def until(client: LivyClient, name: String, word: String): Unit = {
    val end = System.nanoTime() + TimeUnit.MINUTES.toNanos(2)
    def said = try await(client.submit(new Kept(name))) catch { case _: ExecutionException => "nothing yet" }
    while (said != word) holds(System.nanoTime() < end, s"$name never said that it $word")
  }

  private def await[T](future: Future[T]): T = future.get(3, TimeUnit.MINUTES)

  private def failed(future: Future[_]): String =
    try throw new AssertionError("it must fail, and answered " + await(future))
    catch { case error: ExecutionException => String.valueOf(error.getCause.getMessage) }

  private def equal(actual: Any, expected: Any): Unit = holds(actual == expected, s"${shown(actual)} is not ${shown(expected)}")

  private def shown(value: Any): String = String.valueOf(value).take(500)

  private def holds(condition: Boolean, otherwise: => String): Unit = if (!condition) throw new AssertionError(otherwise)

  private def tell[T](name: String, value: T): T = {
    println(s"$name $value")
    value
  }
}

/** Texts that are known for trouble, and generated ones, the same each time. */
object Texts {
  val nasty: Seq[String] = {
    val known = Seq(
      "\ud800", "\udc00\ud800", "a\udbff", "\u0000", "\u0000a\u0000", "\u001e", "\ufffe\uffff\ufffd", "\u2028\u2029\u0085",
      "\"\\/\b", "\r\n\r", "\u202ee\u0301\u200d", "\ud83e\udd26\ud83c\udffd", "\u001b[31m", "")
    val random = new scala.util.Random(42)
    def unit(): Char = (random.nextInt(6) match {
      case 0 => random.nextInt(0x20)
      case 1 => 0x20 + random.nextInt(0x60)
      case 2 => 0xd800 + random.nextInt(0x800)
      case 3 => 0x80 + random.nextInt(0x700)
      case _ => random.nextInt(0x10000)
    }).toChar
    known ++ Seq.fill(10)(Seq.fill(1 + random.nextInt(12))(unit()).mkString)
  }

  /** As the encoder reads it: what is no half of a pair is replaced. */
  def wellFormed(text: String): String = {
    val encoder = java.nio.charset.StandardCharsets.UTF_8.newEncoder
      .onMalformedInput(java.nio.charset.CodingErrorAction.REPLACE)
      .replaceWith("\ufffd".getBytes("UTF-8"))
    val bytes = encoder.encode(java.nio.CharBuffer.wrap(text))
    java.nio.charset.StandardCharsets.UTF_8.decode(bytes).toString
  }
}

/** The number of a client's session, which it does not tell. */
object Sessions {
  def of(client: LivyClient): Int = {
    val method = client.getClass.getDeclaredMethod("getSessionId")
    method.setAccessible(true)
    method.invoke(client).asInstanceOf[Int]
  }
}

/** The driver loads this class for its lambdas, with all that its signatures name. */
object Lambdas {
  def computes(client: LivyClient, word: String, factor: Int): Future[String] =
    client.submit(context => word + context.sc.sc.parallelize(1 to 4, 2).map(_ * factor).sum().toInt)

  def fails(client: LivyClient, message: String): JobHandle[String] =
    client.submit(_ => throw new IllegalStateException(message))
}

/** Makes a client write its jobs as it does since Livy 0.8, which alone can write lambdas. */
object NewerClient {
  def imitate(client: LivyClient): Unit = {
    val field = client.getClass.getDeclaredField("serializer")
    field.setAccessible(true)
    field.set(client, new Newer)
  }

  private class Newer extends Serializer() {
    override def serialize(job: AnyRef): ByteBuffer = {
      val kryo = new Kryo
      kryo.setInstantiatorStrategy(new Kryo.DefaultInstantiatorStrategy(new StdInstantiatorStrategy))
      kryo.register(classOf[SerializedLambda])
      kryo.register(classOf[ClosureSerializer.Closure], new ClosureSerializer)
      val output = new Output(1024, -1)
      kryo.writeClassAndObject(output, job)
      ByteBuffer.wrap(output.toBytes)
    }
  }
}
