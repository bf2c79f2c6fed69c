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
