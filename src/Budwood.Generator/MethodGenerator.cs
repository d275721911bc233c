using Microsoft.CodeAnalysis;

namespace Budwood.Generator;

[Generator]
public sealed class MethodGenerator : IIncrementalGenerator
{
    public void Initialize(IncrementalGeneratorInitializationContext context) { }
}
