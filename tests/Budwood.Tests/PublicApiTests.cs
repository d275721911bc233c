using System.Globalization;
using System.Reflection;
using System.Text;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests;

/// <summary>The public surface of the library package, committed as a text: a change of it is seen in a review.</summary>
public class PublicApiTests
{
    private const string Page = "src/Budwood/PublicAPI.txt";

    [Fact]
    public void The_public_surface_is_the_one_that_is_committed() => Committed.Check(Page, Surface(typeof(Fault).Assembly));

    private static string Surface(Assembly assembly)
    {
        var text = new StringBuilder("# The public surface of the package Budwood, one line a member. Written by a test: see PublicApiTests.\n");
        foreach (Type type in assembly.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            string kind = type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct" : type.IsAbstract && type.IsSealed ? "static class" : "class";
            string of = type.BaseType is { } b && b != typeof(object) && !type.IsValueType ? " : " + Name(b) : "";
            text.Append(CultureInfo.InvariantCulture, $"{kind} {Name(type)}{of}\n");
            if (type.IsEnum)
            {
                text.Append(CultureInfo.InvariantCulture, $"    {string.Join(", ", Enum.GetNames(type))}\n");
                continue;
            }
            const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
            IEnumerable<string> lines = type.GetMembers(All).Select(Line).OfType<string>().Order(StringComparer.Ordinal);
            foreach (string line in lines) text.Append("    ").Append(line).Append('\n');
        }
        return text.ToString();
    }

    private static string? Line(MemberInfo member) => member switch
    {
        FieldInfo { IsPublic: true } f => $"{(f.IsStatic ? "static " : "")}{Name(f.FieldType)} {f.Name}",
        PropertyInfo p when p.GetAccessors(nonPublic: true).Any(Seen) => $"{(p.GetAccessors(true)[0].IsStatic ? "static " : "")}{Name(p.PropertyType)} {p.Name}{Indexed(p)} {{{(p.GetMethod is { } g && Seen(g) ? " get;" : "")}{(p.SetMethod is { } s && Seen(s) ? " set;" : "")} }}",
        ConstructorInfo c when Seen(c) => $"new({Parameters(c)})",
        // Accessors stand with their properties; what the compiler makes for a record says nothing of its own.
        MethodInfo m when Seen(m) && !m.IsSpecialName && !m.Name.Contains('<', StringComparison.Ordinal) && m.Name is not ("PrintMembers" or "Deconstruct" or "GetHashCode" or "Equals" or "ToString") =>
            $"{(m.IsStatic ? "static " : m.IsAbstract ? "abstract " : m.IsVirtual && !m.IsFinal ? "virtual " : "")}{Name(m.ReturnType)} {m.Name}{(m.IsGenericMethod ? $"<{string.Join(", ", m.GetGenericArguments().Select(a => a.Name))}>" : "")}({Parameters(m)})",
        _ => null,
    };

    private static bool Seen(MethodBase m) => m.IsPublic || m.IsFamily || m.IsFamilyOrAssembly;

    private static string Indexed(PropertyInfo p) => p.GetIndexParameters() is { Length: > 0 } i ? $"[{string.Join(", ", i.Select(x => Name(x.ParameterType)))}]" : "";

    private static string Parameters(MethodBase m) => string.Join(", ", m.GetParameters().Select(p => $"{Name(p.ParameterType)} {p.Name}"));

    private static string Name(Type type)
    {
        if (type.IsByRef) return "ref " + Name(type.GetElementType()!);
        if (type.IsArray) return Name(type.GetElementType()!) + "[]";
        if (type.IsGenericParameter) return type.Name;
        if (Nullable.GetUnderlyingType(type) is { } inner) return Name(inner) + "?";
        string own = type.IsNested ? $"{Name(type.DeclaringType!)}.{type.Name}" : type.Namespace?.StartsWith("Budwood", StringComparison.Ordinal) == true ? type.FullName ?? type.Name : type.Name;
        int tick = own.IndexOf('`', StringComparison.Ordinal);
        return tick < 0 ? own : $"{own[..tick]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
