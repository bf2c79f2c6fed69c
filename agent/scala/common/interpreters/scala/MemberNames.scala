package livius.agent

import java.lang.reflect.{AccessibleObject, Constructor, Method, Modifier}

import scala.collection.mutable
import scala.reflect.NameTransformer
import scala.util.Try

/** The names of the values that a case class's `productIterator` gives, in its order.
  *
  * Scala 2.13 tells them. Before, the compiler only writes the constructors' parameters into the
  * class file: the right constructor is one whose parameters have the values that the case class
  * gives.
  */
final class MemberNames {

  import MemberNames._

  private val constructors = mutable.Map.empty[Class[_], Seq[Seq[String]]]

  /** A name for each value; `_n` where there is none. */
  def of(product: Product): Seq[String] = {
    val numbers = (1 to product.productArity).map(number => s"_$number")
    if (isTuple(product)) numbers
    else {
      val told = toldBy(product)
      val names = if (told.forall(_.nonEmpty)) told else byConstructor(product).getOrElse(told)
      names.zipAll(numbers, "", "").map { case (name, number) => if (name.isEmpty) number else name }
    }
  }

  private def byConstructor(product: Product): Option[Seq[String]] = {
    val known = constructors.getOrElseUpdate(product.getClass, parameters(declaring(product.getClass)))
    known.map(_.take(product.productArity)).find { names =>
      names.length == product.productArity && names.indices.forall(at => holds(product, names(at), product.productElement(at)))
    }
  }
}

private object MemberNames {

  private val ProductElementName: Option[Method] = Try(classOf[Product].getMethod("productElementName", Integer.TYPE)).toOption

  private def isTuple(product: Product): Boolean = product.getClass.getName.startsWith("scala.Tuple")

  private def toldBy(product: Product): Seq[String] = (0 until product.productArity).map { at =>
    ProductElementName.fold("")(method => String.valueOf(method.invoke(product, Int.box(at))))
  }

  /** The class that implements `Product`: an object may be of a class that extends it. */
  private def declaring(of: Class[_]): Class[_] =
    superclasses(of).find(each => Try(each.getDeclaredMethod("productElement", Integer.TYPE)).isSuccess).getOrElse(of)

  /** The names of each constructor's parameters, without the object around the class. */
  private def parameters(of: Class[_]): Seq[Seq[String]] =
    of.getDeclaredConstructors.toSeq.flatMap(constructor => Try(names(constructor)).toOption)

  private def names(constructor: Constructor[_]): Seq[String] = {
    val all = constructor.getParameters.toSeq
    if (all.exists(!_.isNamePresent)) throw new NoSuchElementException
    all.map(_.getName).filterNot(_ == "$outer").map(NameTransformer.decode)
  }

  private def holds(product: Product, name: String, value: Any): Boolean =
    superclasses(product.getClass).flatMap(each => Try(each.getDeclaredMethod(NameTransformer.encode(name))).toOption)
      .headOption.exists(accessor => Try(opened(accessor).invoke(product)).toOption.exists(same(_, value)))

  private def same(held: AnyRef, value: Any): Boolean = (held, value) match {
    case (null, other) => other == null
    case (_: Number | _: java.lang.Boolean | _: Character, _) if held.getClass == boxed(value).getClass => held.equals(value)
    case (one, other) => (one eq boxed(other)) || wraps(boxed(other), one)
  }

  /** Whether it is an object of a class that extends `AnyVal`: accessors give what is in it. */
  private def wraps(value: AnyRef, inner: AnyRef): Boolean = value != null && Try {
    value.getClass.getDeclaredFields.filterNot(field => Modifier.isStatic(field.getModifiers)) match {
      case Array(only) => same(inner, opened(only).get(value))
      case _ => false
    }
  }.getOrElse(false)

  private def boxed(value: Any): AnyRef = value.asInstanceOf[AnyRef]

  private def opened[A <: AccessibleObject](member: A): A = {
    member.setAccessible(true)
    member
  }

  private def superclasses(of: Class[_]): Seq[Class[_]] =
    Iterator.iterate[Class[_]](of)(_.getSuperclass).takeWhile(each => each != null && each != classOf[Object]).toSeq
}
